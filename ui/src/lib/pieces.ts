// Cuts a laid-out text into the runs that are drawn: one look each (token kind, mark, chip), line by line. Pure.
import type { Layout, TokenKind } from "./layout";
import type { Mark } from "./marks";
import { type Piece, reveal } from "./reveal";

export type Run = {
  text: string;
  kind: TokenKind | "plain";
  marked: boolean;
  /** Set for an invisible character or a lookalike letter. */
  special: Exclude<Piece, { kind: "text" }> | null;
};
export type Line = Run[];

/** `revealed` false leaves invisible characters out (neither shown nor obeyed), but for those that matched. */
export function toLines(laid: Pick<Layout, "text" | "tokens">, marks: Mark[], revealed: boolean): Line[] {
  const { text } = laid;
  const pieces = reveal(text);
  const cuts = new Set<number>([0, text.length]);
  for (const range of [...pieces, ...marks, ...laid.tokens]) cuts.add(range.start).add(range.end);
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) cuts.add(at).add(at + 1);
  const order = [...cuts].sort((a, b) => a - b);

  const lines: Line[] = [[]];
  let token = 0;
  let mark = 0;
  let piece = 0;
  for (let i = 0; i + 1 < order.length; i++) {
    const start = order[i] ?? 0;
    const end = order[i + 1] ?? start;
    while ((laid.tokens[token]?.end ?? Number.POSITIVE_INFINITY) <= start) token++;
    while ((marks[mark]?.end ?? Number.POSITIVE_INFINITY) <= start) mark++;
    while ((pieces[piece]?.end ?? Number.POSITIVE_INFINITY) <= start) piece++;
    const slice = text.slice(start, end);
    if (slice === "\n") {
      lines.push([]);
      continue;
    }
    const covering = pieces[piece];
    const special = covering && covering.kind !== "text" && covering.start <= start ? covering : null;
    const marked = (marks[mark]?.start ?? Number.POSITIVE_INFINITY) <= start;
    // What matched is shown in any view, even when it cannot be seen by itself.
    if (special?.kind === "chip" && ((!revealed && !marked) || special.start !== start)) continue;
    const owner = laid.tokens[token];
    lines.at(-1)?.push({
      text: slice,
      kind: owner && owner.start <= start ? owner.kind : "plain",
      marked,
      special,
    });
  }
  return lines;
}

/** How far lines stand in, in characters: by their own spaces; the rest of a string under its start. */
export function hanging(lines: Line[]): { left: number; first: number }[] {
  let indent = 0;
  return lines.map((line) => {
    const start = line[0];
    const inside = start === undefined || start.kind === "string" || start.kind === "key";
    if (!inside) indent = start.kind === "space" ? start.text.length : 0;
    return inside ? { left: indent + 2, first: 0 } : { left: indent + 2, first: -2 };
  });
}

export type Fold =
  | { kind: "lines"; lines: Line[]; from: number }
  | { kind: "hidden"; count: number; from: number };

/** Keeps the first and last lines and those around each mark; hides the rest. Nothing inside a mark is ever hidden. */
export function fold(lines: Line[], around: number, atLeast: number): Fold[] {
  if (lines.length <= atLeast) return [{ kind: "lines", lines, from: 0 }];
  const keep = lines.map((_, i) => i < around || i >= lines.length - around);
  lines.forEach((line, i) => {
    if (!line.some((run) => run.marked)) return;
    for (let j = Math.max(0, i - around); j <= Math.min(lines.length - 1, i + around); j++) keep[j] = true;
  });
  const folds: Fold[] = [];
  for (let i = 0; i < lines.length; ) {
    let j = i;
    while (j < lines.length && keep[j] === keep[i]) j++;
    if (keep[i] || j - i < 3) {
      const last = folds.at(-1);
      if (last?.kind === "lines") last.lines.push(...lines.slice(i, j));
      else folds.push({ kind: "lines", lines: lines.slice(i, j), from: i });
    } else folds.push({ kind: "hidden", count: j - i, from: i });
    i = j;
  }
  return folds;
}
