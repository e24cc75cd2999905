import { expect, test } from "vitest";
import { howItFailed } from "./failing";

test("how a server failed is told from what it said last", () => {
  expect(howItFailed("server exits with code 1: Error: Cannot find module 'pg'")).toEqual({
    how: "server exits with code 1",
    said: "Error: Cannot find module 'pg'",
  });
  expect(howItFailed("server is ended by signal 6: Fatal: no memory\n    at x: 1")).toEqual({
    how: "server is ended by signal 6",
    said: "Fatal: no memory\n    at x: 1",
  });
  expect(howItFailed("Connection refused (os error 111)")).toEqual({
    how: "Connection refused (os error 111)",
    said: null,
  });
});
