// Text that a server or a config gave us: only ever text nodes, isolated from the direction of what is around it,
// invisible characters drawn as chips.
import { Fragment, useMemo } from "react";
import { cutMiddle, NAME_LIMIT } from "../lib/cut";
import { type Piece, reveal, spelled } from "../lib/reveal";

export function Chip({ piece }: { piece: Extract<Piece, { kind: "chip" }> }) {
  return (
    <span className="ghost" title={piece.explains}>
      {piece.label}
    </span>
  );
}

export function Revealed({ value }: { value: string }) {
  const pieces = useMemo(() => reveal(value), [value]);
  return pieces.map((piece) => {
    const part = value.slice(piece.start, piece.end);
    if (piece.kind === "chip") return <Chip key={piece.start} piece={piece} />;
    if (piece.kind === "lookalike")
      return (
        <span key={piece.start} className="lookalike" title={piece.explains}>
          {part}
        </span>
      );
    return <Fragment key={piece.start}>{part}</Fragment>;
  });
}

/** A name: code type, cut in the middle at 40 characters unless `full`. */
type NameProps = { value: string; full?: boolean; limit?: number | undefined };

export function Name({ value, full = false, limit = NAME_LIMIT }: NameProps) {
  const shown = full ? value : cutMiddle(value, limit);
  return (
    <bdi dir="ltr" className="name" title={shown === value ? undefined : spelled(value)}>
      <Revealed value={shown} />
    </bdi>
  );
}

/** Longer text on lines of its own: examples, decoded parts, command lines. */
export function Block({ value, marked = false }: { value: string; marked?: boolean }) {
  return (
    <div className="code" dir="ltr">
      {marked ? (
        <mark>
          <Revealed value={value} />
        </mark>
      ) : (
        <Revealed value={value} />
      )}
    </div>
  );
}
