import { describe, expect, test } from "vitest";
import type { Finding } from "../types";
import { layout } from "./layout";
import { locate, mergeMarks, sideOf } from "./marks";
import { byteLength, byteToIndex, spanToRange } from "./spans";

const finding = (part: Partial<Finding>): Finding => ({
  signature: "s",
  version: 1,
  category: "c",
  severity: "high",
  confidence: "high",
  verdict: "block",
  title: "t",
  json_path: "",
  span: null,
  matched: "",
  decoded: null,
  ...part,
});
function shown(raw: string, part: Partial<Finding>): string | null {
  const laid = layout(raw);
  const mark = locate(raw, laid, finding(part));
  return mark && laid.text.slice(mark.start, mark.end);
}
function spanOf(raw: string, part: string) {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  const at = raw.indexOf(part);
  return { start: bytes(raw.slice(0, at)), end: bytes(raw.slice(0, at + part.length)) };
}

describe("byte offsets", () => {
  test("count UTF-8, not UTF-16", () => {
    const text = "aé€😀z";
    expect(byteLength(text)).toBe(1 + 2 + 3 + 4 + 1);
    expect(byteToIndex(text, 10)).toBe(5);
    expect(byteToIndex(text, 11)).toBe(6);
    expect(byteToIndex(text, 12)).toBeNull();
  });
  test("in the middle of a character count as its start", () => {
    expect(byteToIndex("€z", 1)).toBe(0);
    expect(byteToIndex("😀z", 3)).toBe(0);
  });
  test("an empty or reversed span is none", () => {
    expect(spanToRange("abc", { start: 2, end: 2 })).toBeNull();
    expect(spanToRange("abc", { start: 2, end: 1 })).toBeNull();
  });
});

describe("locate", () => {
  const raw = '{"params":{"arguments":{"note":"größer 😀","path":"../../etc/shadow"}}}';
  test("marks the raw byte span after wide characters", () => {
    expect(
      shown(raw, {
        span: spanOf(raw, "../../etc"),
        matched: "../../etc",
        json_path: "/params/arguments/path",
      }),
    ).toBe("../../etc");
  });
  test("marks a span of escaped characters in its unescaped form", () => {
    const escaped = '{"result":"go\\u202egpj\\nend"}';
    expect(
      shown(escaped, { span: spanOf(escaped, "\\u202egpj"), matched: "\u202egpj", json_path: "/result" }),
    ).toBe("\u202egpj");
  });
  test("does not believe a span that masking has moved", () => {
    const masked = '{"params":{"key":"sk-1••••","path":"../../etc/shadow"}}';
    expect(
      shown(masked, { span: { start: 60, end: 80 }, matched: "../../etc", json_path: "/params/path" }),
    ).toBe("../../etc");
  });
  test("finds a masked match by its first characters", () => {
    const masked = '{"params":{"key":"sk-1•••• (masked)"}}';
    expect(shown(masked, { matched: "sk-1••••", json_path: "/params/key" })).toBe("sk-1••••");
  });
  test("marks the whole value when the match cannot be found in it", () => {
    expect(shown(raw, { matched: "something decoded", json_path: "/params/arguments/path" })).toBe(
      "../../etc/shadow",
    );
  });
  test("finds a match below a path that is an object", () => {
    expect(shown(raw, { matched: "../../etc", json_path: "/params/arguments" })).toBe("../../etc");
  });
  test("marks a key", () => {
    expect(
      shown('{"params":{"__proto__":1}}', { matched: "__proto__", json_path: "/params/__proto__" }),
    ).toBe("__proto__");
  });
  test("gives nothing rather than something wrong", () => {
    expect(shown(raw, { matched: "absent", json_path: "/params/nowhere" })).toBeNull();
  });
});

test("Findings belong to the side their path is in", () => {
  expect(sideOf(finding({ json_path: "/result/content/0" }))).toBe("response");
  expect(sideOf(finding({ json_path: "/error/message" }))).toBe("response");
  expect(sideOf(finding({ json_path: "/params/x" }))).toBe("request");
  expect(sideOf(finding({ json_path: "/results" }))).toBe("request");
});
test("overlapping marks become one", () => {
  expect(
    mergeMarks([
      { start: 5, end: 9 },
      { start: 0, end: 2 },
      { start: 8, end: 12 },
    ]),
  ).toEqual([
    { start: 0, end: 2 },
    { start: 5, end: 12 },
  ]);
});
