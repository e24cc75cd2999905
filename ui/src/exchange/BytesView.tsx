// The kept bytes as a hex dump, around the first match; more on demand.
import { useMemo, useState } from "react";
import { type HexLine, hexLines, LINE_BYTES, lineCount } from "../lib/hex";
import type { Mark } from "../lib/marks";
import { text } from "../text";

const SHOWN = 128;
const BEFORE = 8;

export function BytesView({ raw, marks }: { raw: string; marks: Mark[] }) {
  const bytes = useMemo(() => new TextEncoder().encode(raw), [raw]);
  const first = Math.max(0, Math.floor((marks[0]?.start ?? 0) / LINE_BYTES) - BEFORE);
  const [from, setFrom] = useState(first);
  const [until, setUntil] = useState(first + SHOWN);
  const all = lineCount(bytes);
  const lines = useMemo(() => hexLines(bytes, marks, from, until), [bytes, marks, from, until]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <div className="code hex" dir="ltr" tabIndex={0} role="region" aria-label={text.detail.views.bytes}>
      {from > 0 && <More lines={from} onShow={() => setFrom(0)} />}
      {lines.map((line) => (
        <HexRow key={line.offset} line={line} />
      ))}
      {until < all && <More lines={all - until} onShow={() => setUntil(until + SHOWN * 16)} />}
    </div>
  );
}

function More({ lines, onShow }: { lines: number; onShow: () => void }) {
  return (
    <button type="button" className="fold" onClick={onShow}>
      {text.detail.hidden(lines)}
    </button>
  );
}

function HexRow({ line: { offset, cells } }: { line: HexLine }) {
  return (
    <div className="hexrow">
      <span className="k">{offset}</span>
      <span>{cells.map((cell, i) => marked(cell.marked, i, `${cell.hex}${i === 7 ? "  " : " "}`))}</span>
      <span className="s">{cells.map((cell, i) => marked(cell.marked, i, cell.ascii))}</span>
    </div>
  );
}

const marked = (on: boolean, key: number, shown: string) =>
  on ? <mark key={key}>{shown}</mark> : <span key={key}>{shown}</span>;
