import { describe, expect, test } from "vitest";
import type { DiffLine } from "../types";
import { firstSentence } from "./cut";
import { asPatch, changedLines, hunks } from "./diff";
import { readablePath } from "./path";
import { parseRoute, splitPairing, toHref } from "./route";
import { ago, bytes, ms, onWhen } from "./time";

describe("routes", () => {
  test("there and back", () => {
    const route = { page: "traffic" as const, search: "app=cursor", open: "0193ab" };
    expect(toHref(route)).toBe("/traffic?app=cursor#ex_0193ab");
    expect(parseRoute("/traffic", "?app=cursor", "#ex_0193ab")).toEqual(route);
  });
  test("what is unknown is the first page, what is malformed opens nothing", () => {
    expect(parseRoute("/nowhere", "", "#pair=X")).toEqual({ page: "overview", search: "", open: null });
    expect(parseRoute("/traffic", "", "#ex_%ff").open).toBe("%ff");
    expect(parseRoute("/traffic", "", "#ex_").open).toBeNull();
  });
});

test("JSON pointers read as paths", () => {
  expect(readablePath("/result/content/0/text")).toBe("$.result.content[0].text");
  expect(readablePath("/params/a~1b c")).toBe('$.params["a/b c"]');
  expect(readablePath("")).toBe("$");
});

test("times and sizes", () => {
  expect([ago(0, 400), ago(0, 3000), ago(0, 240_000), ago(0, 86_400_000)]).toEqual([
    "just now",
    "3 s ago",
    "4 min ago",
    "1 day ago",
  ]);
  expect([ms(20), ms(310), ms(4000), ms(4200), ms(212_400)]).toEqual(["0.02", "0.3", "4", "4.2", "212"]);
  expect([bytes(387), bytes(1800), bytes(64_000), bytes(2_100_000)]).toEqual([
    "387 bytes",
    "1.8 kB",
    "64 kB",
    "2.1 MB",
  ]);
});

test("a pairing link may say what to open after it", () => {
  expect(splitPairing("#pair=AB%2012")).toEqual({ code: "AB 12", rest: "" });
  expect(splitPairing("#pair=AB12&ex_1")).toEqual({ code: "AB12", rest: "#ex_1" });
  for (const hash of ["", "#ex_1", "#pair=", "#x&pair=AB12"]) expect(splitPairing(hash)).toBeNull();
});

describe("diffs", () => {
  const line = (n: number, tag: DiffLine["tag"] = "same"): DiffLine => ({
    tag,
    old_line: tag === "added" ? null : n,
    new_line: tag === "removed" ? null : n,
    text: `l${n}`,
  });
  const diff = [
    ...Array.from({ length: 20 }, (_, i) => line(i + 1)),
    line(21, "removed"),
    line(21, "added"),
    ...Array.from({ length: 20 }, (_, i) => line(i + 22)),
  ];
  test("are cut to three lines around the change", () => {
    expect(hunks(diff)).toMatchObject([{ from: 18, to: 24 }]);
    expect(hunks(diff)[0]?.lines).toHaveLength(8);
    expect(hunks([line(1)])).toEqual([]);
  });
  test("count a changed line once", () => expect(changedLines(diff)).toBe(1));
  test("copy as text", () => expect(asPatch("p", [line(1), line(2, "added")])).toBe("p\n l1\n+l2\n"));
});

test("a time inside a sentence", () => {
  const now = new Date(2026, 10, 19, 23, 38).getTime();
  expect(onWhen(new Date(2026, 10, 19, 2, 58).getTime(), now)).toBe("at 02:58");
  expect(onWhen(new Date(2026, 10, 18, 2, 58).getTime(), now)).toBe("yesterday");
  expect(onWhen(new Date(2026, 10, 7).getTime(), now)).toBe("on 7 Nov");
});

test("the first sentence of a definition stands for it, and says when there is more", () => {
  expect(firstSentence("Reads a file.")).toBe("Reads a file.");
  expect(firstSentence("Reads a file, e.g. one. Then it goes on.")).toBe("Reads a file, e.g. one. …");
  expect(firstSentence("one line\nand another")).toBe("one line …");
  expect(firstSentence("x".repeat(300))).toBe(`${"x".repeat(200)}…`);
});
