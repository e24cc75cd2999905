// A diff of a whole file cut down to what changes and three lines around it. Pure.
import type { DiffLine } from "../types";

export type Hunk = { lines: DiffLine[]; from: number; to: number };
const CONTEXT = 3;

export function hunks(diff: DiffLine[]): Hunk[] {
  const keep = diff.map(() => false);
  diff.forEach((line, i) => {
    if (line.tag === "same") return;
    for (let j = Math.max(0, i - CONTEXT); j <= Math.min(diff.length - 1, i + CONTEXT); j++) keep[j] = true;
  });
  const found: Hunk[] = [];
  let lines: DiffLine[] = [];
  const end = () => {
    if (lines.length === 0) return;
    const numbers = lines.map((line) => line.old_line ?? line.new_line ?? 0);
    found.push({ lines, from: Math.min(...numbers), to: Math.max(...numbers) });
    lines = [];
  };
  diff.forEach((line, i) => {
    if (keep[i]) lines.push(line);
    else end();
  });
  end();
  return found;
}

/** How many lines are new or gone, a changed line counted once. */
export function changedLines(diff: DiffLine[]): number {
  const count = (tag: DiffLine["tag"]) => diff.filter((line) => line.tag === tag).length;
  return Math.max(count("removed"), count("added"));
}

export function asPatch(path: string, diff: DiffLine[]): string {
  const sign = { same: " ", removed: "-", added: "+" } as const;
  const body = hunks(diff).map((hunk) =>
    hunk.lines.map((line) => `${sign[line.tag]}${line.text}`).join("\n"),
  );
  return `${path}\n${body.join("\n…\n")}\n`;
}
