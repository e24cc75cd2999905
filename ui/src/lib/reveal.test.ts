import { describe, expect, test } from "vitest";
import { cutMiddle } from "./cut";
import { reveal, spelled, visible } from "./reveal";

const labels = (text: string) =>
  reveal(text).flatMap((piece) => (piece.kind === "chip" ? [piece.label] : []));
const tags = (words: string) =>
  Array.from(words, (c) => String.fromCodePoint(0xe0000 + (c.codePointAt(0) ?? 0))).join("");

describe("reveal", () => {
  test("names bidi controls and zero width characters", () => {
    expect(labels("open\u202egpj.trats\u202c now\u200b.")).toEqual([
      "RLO U+202E",
      "PDF U+202C",
      "ZWSP U+200B",
    ]);
  });
  test("counts runs", () => {
    expect(labels(`x${tags("AB")}${"\u200b".repeat(3)}y`)).toEqual(["2 × TAG U+E0041…", "3 × ZWSP U+200B"]);
  });
  test("names control characters but leaves line breaks and tabs alone", () => {
    expect(labels("a\nb\tc\u0000\u0007\u007f\u0085")).toEqual([
      "NUL U+0000",
      "BEL U+0007",
      "DEL U+007F",
      "C1 U+0085",
    ]);
  });
  test("shows a terminal sequence as one chip and says when it hides text", () => {
    const [piece] = reveal("\u001b[8msecret\u001b[0m");
    expect(piece).toMatchObject({ kind: "chip", label: "ESC[8m", explains: "hides text in a terminal" });
    expect(labels("\u001b")).toEqual(["ESC U+001B"]);
  });
  test("leaves emoji whole", () => {
    expect(labels("👩‍💻 ❤️ 1️⃣")).toEqual([]);
    expect(labels("a\u200db a\ufe0f")).toEqual(["ZWJ U+200D", "VS U+FE0F"]);
  });
  test("a lone half of a surrogate pair is not nothing", () => {
    expect(labels("a\ud800b")).toEqual(["LONE SURROGATE U+D800"]);
  });
  test("marks lookalike letters only inside Latin words", () => {
    const found = reveal("p\u0430ypal и мир").filter((piece) => piece.kind === "lookalike");
    expect(found).toEqual([{ kind: "lookalike", start: 1, end: 2, explains: "Cyrillic а, U+0430" }]);
  });
  test("covers the text without a gap", () => {
    const text = `a\u202eb${tags("hi")}p\u0430y\u001b[31mz`;
    let at = 0;
    for (const piece of reveal(text)) {
      expect(piece.start).toBe(at);
      at = piece.end;
    }
    expect(at).toBe(text.length);
  });
  test("the visible form has none of it, the spelled form says all of it", () => {
    expect(visible(`go${tags("x")}\u202e on`)).toBe("go on");
    expect(spelled("a\u202eb")).toBe("a⟨RLO U+202E⟩b");
  });
});

describe("cutMiddle", () => {
  test("keeps short names", () => expect(cutMiddle("a".repeat(40))).toBe("a".repeat(40)));
  test("keeps both ends of long ones, 40 characters in all", () => {
    const cut = cutMiddle(`start_${"x".repeat(60)}_end`);
    expect(Array.from(cut)).toHaveLength(40);
    expect(cut).toMatch(/^start_x+…x+_end$/);
  });
  test("does not cut through an emoji", () => {
    expect(cutMiddle("😀".repeat(41))).toBe(`${"😀".repeat(20)}…${"😀".repeat(19)}`);
  });
});
