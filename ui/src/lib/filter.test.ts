import { describe, expect, test } from "vitest";
import type { ExchangeRow } from "../types";
import { fromSearch, fromText, matches, toApiParams, toSearch, toText, toUnixMs } from "./filter";

describe("the filter's forms", () => {
  test("URL there and back", () => {
    const search = "app=cursor&verdict=block%2Cflag&since=1d&q=a+b";
    expect(toSearch(fromSearch(search))).toBe(search);
    expect(fromSearch("evil=1&app=")).toEqual({});
  });
  test("the search box there and back", () => {
    const filter = { app: "cursor", target: "read file", since: "11:30", q: "etc shadow" };
    expect(toText(filter)).toBe('app:cursor tool:"read file" since:11:30 etc shadow');
    expect(fromText(toText(filter), {})).toEqual(filter);
  });
  test("what the box does not show survives typing", () => {
    expect(fromText("x", { upstream: "abc", verdict: "block", q: "old" })).toEqual({
      upstream: "abc",
      verdict: "block",
      q: "x",
    });
  });
  test("words with a colon that mean nothing here are searched for", () => {
    expect(fromText("http://evil.example app:", {})).toEqual({ q: "http://evil.example" });
  });
  test("times", () => {
    const now = new Date(2026, 10, 22, 14, 0, 0).getTime();
    expect(toUnixMs("15m", now)).toBe(now - 900_000);
    expect(toUnixMs("11:30", now)).toBe(new Date(2026, 10, 22, 11, 30).getTime());
    expect(toUnixMs("1700000000000", now)).toBe(1_700_000_000_000);
    expect(toUnixMs("soon", now)).toBeNull();
    expect(toApiParams({ since: "1h", app: "cursor" }, now).toString()).toBe(
      `app=cursor&since=${now - 3_600_000}`,
    );
  });
});

describe("live rows", () => {
  const row = {
    app: "cursor",
    upstream: "u",
    verdict: "flag",
    method: "tools/call",
    target: "x",
    direction: "to_upstream",
    at: 1000,
  } as ExchangeRow;
  test("join when they match", () => {
    expect(matches({}, row, 2000)).toBe(true);
    expect(matches({ verdict: "flag,block", app: "cursor" }, row, 2000)).toBe(true);
  });
  test("stay out when they do not", () => {
    expect(matches({ verdict: "block" }, row, 2000)).toBe(false);
    expect(matches({ since: "1500000000000" }, row, 2000)).toBe(false);
  });
  test("full text is the server's to answer, what is already excluded stays excluded", () => {
    expect(matches({ q: "word" }, row, 2000)).toBeNull();
    expect(matches({ q: "word", app: "vscode" }, row, 2000)).toBe(false);
  });
});
