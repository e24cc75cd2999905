import { describe, expect, test } from "vitest";
import { layout, toShown } from "./layout";

const lay = (raw: string) => layout(raw).text;

describe("layout", () => {
  test("indents objects and arrays and keeps empty ones short", () => {
    expect(lay('{"a":1,"b":[true,null],"c":{}}')).toBe(
      '{\n  "a": 1,\n  "b": [\n    true,\n    null\n  ],\n  "c": {}\n}',
    );
  });
  test("does not care how the raw text is spaced", () => {
    expect(lay('{ "a" :\n\t1 }')).toBe(lay('{"a":1}'));
  });
  test("unescapes strings, so that real line breaks and hidden characters are seen", () => {
    expect(lay('"a\\nb\\u202ec\\"d\\\\"')).toBe('"a\nb\u202ec"d\\"');
  });
  test("keeps what is no escape", () => {
    expect(lay('"\\x \\u12"')).toBe('"\\x \\u12"');
  });
  test.each([
    '{"a":"cut off in the mid',
    '{"a":[1,2',
    '{"a"',
    "Listening on port 3000",
    '}]"',
    "",
    '{"a":1}{"b":2}',
  ])("lays out what is not whole JSON: %s", (raw) => {
    const laid = layout(raw);
    for (const word of raw.match(/[a-zA-Z0-9]+/g) ?? []) expect(laid.text).toContain(word);
    expect(laid.fromRaw).toHaveLength(raw.length + 1);
  });
  test("every raw offset points at its character", () => {
    const raw = '{"text":"tab\\there","n":42}';
    const laid = layout(raw);
    for (const part of ["here", "42", "n"]) {
      const at = toShown(laid, raw.lastIndexOf(part), raw.lastIndexOf(part) + part.length);
      expect(laid.text.slice(at.start, at.end)).toBe(part);
    }
  });
  test("tokens carry JSON pointers, escaped and counted", () => {
    const laid = layout('{"a/b~c":[{"x":"1"},"2"]}');
    const path = (shown: string) => laid.tokens.find((t) => laid.text.slice(t.start, t.end) === shown)?.path;
    expect(path('"1"')).toBe("/a~1b~0c/0/x");
    expect(path('"2"')).toBe("/a~1b~0c/1");
  });
  test("deep nesting is no recursion", () => {
    expect(lay("[".repeat(20_000))).toContain("[");
  });
});
