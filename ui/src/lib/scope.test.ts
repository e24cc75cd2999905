import { expect, test } from "vitest";
import { fieldsOf, NARROWEST, type ScopeFacts, toggleField, withReach } from "./scope";

const FACTS: ScopeFacts = {
  appName: "Cursor",
  upstreamName: "mailer",
  target: "send",
  severity: "high",
  signatures: ["private-key"],
  destinations: [],
  fields: ["/to", "/subject"],
  secret: true,
};

test("the same shape begins with every field fixed, and keeps what was chosen", () => {
  const shape = withReach(FACTS, "shape", NARROWEST.arguments);
  expect(shape).toEqual({ reach: "shape", fixed: ["/to", "/subject"] });
  const fewer = toggleField(shape, "/subject");
  expect(fewer).toEqual({ reach: "shape", fixed: ["/to"] });
  expect(withReach(FACTS, "shape", fewer)).toBe(fewer);
  expect(toggleField(fewer, "/subject")).toEqual({ reach: "shape", fixed: ["/to", "/subject"] });
  expect(withReach(FACTS, "any", fewer)).toEqual({ reach: "any" });
  expect(toggleField({ reach: "any" }, "/to")).toEqual({ reach: "any" });
});

test("fields are the plain values of the arguments, two levels deep", () => {
  const call = { params: { arguments: { to: "a", n: 1, list: [1], "a/b": { c: true, d: { e: 1 } } } } };
  expect(fieldsOf(JSON.stringify(call))).toEqual(["/to", "/n", "/a~1b/c"]);
  expect(fieldsOf('{"params":{}}')).toEqual([]);
  expect(fieldsOf("{cut")).toEqual([]);
});
