import { expect, test } from "vitest";
import { hexLines, lineCount, toBytes } from "./hex";
import { layout } from "./layout";

const bytes = (text: string) => new TextEncoder().encode(text);

test("sixteen bytes a line; what cannot be printed is a dot", () => {
  const dump = hexLines(bytes("0123456789abcdef\u200bé\n"), [{ start: 1, end: 3 }], 0, 99);
  expect(dump.map((line) => line.offset)).toEqual(["000000", "000010"]);
  expect(dump[0]?.cells.map((cell) => cell.ascii).join("")).toBe("0123456789abcdef");
  expect(dump[0]?.cells.flatMap((cell, i) => (cell.marked ? [i] : []))).toEqual([1, 2]);
  expect(dump[1]?.cells.map((cell) => cell.hex).join(" ")).toBe("e2 80 8b c3 a9 0a");
  expect(dump[1]?.cells.map((cell) => cell.ascii).join("")).toBe("······");
});

test("only the lines asked for are made", () => {
  const long = bytes("x".repeat(1000));
  expect(lineCount(long)).toBe(63);
  expect(hexLines(long, [], 10, 12).map((line) => line.offset)).toEqual(["0000a0", "0000b0"]);
  expect(hexLines(long, [], 62, 99)[0]?.cells).toHaveLength(8);
});

test("a mark in the laid-out text becomes bytes of the raw one, escapes and wide characters included", () => {
  const raw = '{"a":"é\\u00e9 bad"}';
  const laid = layout(raw);
  const at = laid.text.indexOf("bad");
  const mark = toBytes(raw, laid, { start: at, end: at + 3 });
  expect(new TextDecoder().decode(bytes(raw).slice(mark.start, mark.end))).toBe("bad");
});
