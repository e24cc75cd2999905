import { describe, expect, test } from "vitest";
import { layout } from "./layout";
import { fold, hanging, toLines } from "./pieces";

const plain = (lines: ReturnType<typeof toLines>) =>
  lines.map((line) =>
    line.map((run) => (run.special?.kind === "chip" ? `<${run.special.label}>` : run.text)).join(""),
  );

describe("toLines", () => {
  test("draws a chip once for the whole run it stands for", () => {
    const laid = layout('"a\\u200b\\u200bb"');
    expect(plain(toLines(laid, [], true))).toEqual(['"a<2 × ZWSP U+200B>b"']);
  });
  test("readable leaves invisible characters out", () => {
    const laid = layout('"a\\u202eb"');
    expect(plain(toLines(laid, [], false))).toEqual(['"ab"']);
  });
  test("marks exactly the marked part, also around a chip", () => {
    const laid = layout('"one\\u202e two"');
    const lines = toLines(laid, [{ start: 4, end: 9 }], true);
    const marked = lines.flat().filter((run) => run.marked);
    expect(marked.map((run) => run.special?.kind ?? run.text)).toEqual(["chip", " two"]);
  });
  test("breaks lines and keeps a mark across them", () => {
    const laid = layout('"a\\nb\\nc"');
    const lines = toLines(laid, [{ start: 1, end: 4 }], true);
    expect(lines.map((line) => line.map((run) => `${run.text}${run.marked ? "!" : ""}`))).toEqual([
      ['"', "a!"],
      ["b!"],
      ['c"'],
    ]);
  });
  test("the rest of a string stands under its start", () => {
    const laid = layout('{"a":"x\\ny"}');
    expect(hanging(toLines(laid, [], true)).map((line) => line.left)).toEqual([2, 4, 4, 2]);
  });
});

describe("fold", () => {
  const lines = toLines(
    layout(JSON.stringify(Array.from({ length: 50 }, (_, i) => i))),
    [{ start: 100, end: 102 }],
    true,
  );
  test("leaves short texts alone", () => expect(fold(lines, 2, 100)).toHaveLength(1));
  test("keeps the ends and what is around a mark, and says how much is hidden", () => {
    const folds = fold(lines, 2, 10);
    const hidden = folds.reduce((all, part) => all + (part.kind === "hidden" ? part.count : 0), 0);
    const kept = folds.flatMap((part) => (part.kind === "lines" ? part.lines : []));
    expect(hidden + kept.length).toBe(lines.length);
    expect(kept.some((line) => line.some((run) => run.marked))).toBe(true);
    expect(folds.map((part) => part.kind)).toEqual(["lines", "hidden", "lines", "hidden", "lines"]);
  });
});
