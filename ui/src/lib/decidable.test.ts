import { expect, test } from "vitest";
import type { Exchange, Finding } from "../types";
import { decidable } from "./decidable";

const finding = (json_path: string) => ({ json_path, verdict: "flag", severity: "high" }) as Finding;
const of = (part: Partial<Exchange>) =>
  decidable({
    app: "cursor",
    direction: "to_upstream",
    method: "tools/call",
    notification: false,
    findings: [finding("/params/arguments/path")],
    verdict: "ask",
    ...part,
  });

test("what was asked can be allowed or denied from now on", () => {
  expect(of({})).toEqual({ allow: true, deny: true });
  expect(of({ findings: [finding("/result/content/0/text")] })).toEqual({ allow: true, deny: true });
});
test("what went on needs no exception, what is blocked no further block", () => {
  expect(of({ verdict: "flag" })).toEqual({ allow: false, deny: true });
  expect(of({ verdict: "block" })).toEqual({ allow: true, deny: false });
});
test("nobody is asked about these", () => {
  const none = { allow: false, deny: false };
  expect(of({ method: "tools/list" })).toEqual(none);
  expect(of({ method: "initialize" })).toEqual(none);
  expect(of({ direction: "to_client", method: "sampling/createMessage" })).toEqual(none);
  expect(of({ notification: true })).toEqual(none);
  expect(of({ findings: [] })).toEqual(none);
  expect(of({ app: "drill" })).toEqual(none);
  expect(of({ method: "completion/complete", findings: [finding("/result/x")] })).toEqual(none);
});
