// Every Signature and every check of our own has a sentence that names its harm: read from the files that they come from,
// so that a new category (or a new grave Signature) without one fails here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { harmByCategory, harmBySignature, harmText, harmUnknown } from "../text/harm";
import cases from "../text/harm.cases.json";
import type { Finding } from "../types";
import { type HarmFacts, type HarmPart, harmOf, needsTitle, plainHarm } from "./harm";

const ROOT = join(import.meta.dirname, "../../..");
const CRATES = join(ROOT, "src-tauri/crates");
type File = { id: string; category: string; severity: string; where: { roles?: string[] } };

const signatures = readdirSync(join(ROOT, "signatures"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".toml"))
  .map((path) => parse(readFileSync(join(ROOT, "signatures", path), "utf8")) as unknown as File);
const grave = signatures.filter(({ severity }) => severity === "high" || severity === "critical");

/** The categories that the engine's own checks and judges give their Findings. */
function builtInCategories(): string[] {
  const sources = ["policy/src", "gateway/src", "shim/src", "daemon/src/judges"].flatMap((folder) =>
    readdirSync(join(CRATES, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".rs"))
      .map((path) => readFileSync(join(CRATES, folder, path), "utf8")),
  );
  const code = sources.join("\n");
  return [...code.matchAll(/\bcategory: "([^"]+)"/g)].map((found) => found[1] ?? "");
}

/** The words of `const CATEGORIES … = [ … ];` */
function listed(file: string): string[] {
  const list = /const CATEGORIES[^=]*=\s*&?\[([^\]]*)\]/.exec(readFileSync(join(CRATES, file), "utf8"))?.[1];
  return [...(list ?? "").matchAll(/"([^"]+)"/g)].map((found) => found[1] ?? "");
}

function facts(part: Partial<Finding>, more: Partial<HarmFacts> = {}): HarmFacts {
  const finding: Finding = {
    signature: "of-nobody",
    version: 1,
    category: "commands",
    severity: "high",
    confidence: "medium",
    verdict: "ask",
    title: "A title",
    json_path: "/params/arguments/path",
    span: null,
    matched: "",
    decoded: null,
    ...part,
  };
  return {
    direction: "to_upstream",
    findings: [finding],
    destinations: [],
    upstream_name: "mailer",
    method: "tools/call",
    ...more,
  };
}
const said = (part: Partial<Finding>, more: Partial<HarmFacts> = {}) =>
  plainHarm(harmOf(facts(part, more)) ?? []);

describe("every category has a sentence", () => {
  const lint = listed("detect/src/lint.rs");
  const judges = listed("daemon/src/judges/prompt.rs");
  const builtIn = builtInCategories();
  test("the lists are found where they are", () => {
    expect(lint.length).toBeGreaterThan(8);
    expect(judges).toContain("other");
    expect(builtIn).toEqual(expect.arrayContaining(["protocol", "drift", "definitions"]));
    expect(signatures.length).toBeGreaterThan(100);
  });
  const all = new Set([...lint, ...judges, ...builtIn, ...signatures.map(({ category }) => category)]);
  test.each([...all].sort())("%s", (category) => {
    expect(Object.keys(harmByCategory)).toContain(category);
    for (const direction of ["to_upstream", "to_client"] as const)
      expect(said({ category }, { direction })).not.toBe(
        direction === "to_client" ? harmUnknown.reads : harmUnknown.sends,
      );
  });
  test("and no other has one", () => {
    expect(Object.keys(harmByCategory).filter((category) => !all.has(category))).toEqual([]);
  });
});

describe("every grave Signature names its own harm", () => {
  test.each(grave.map((one) => [one.id, one] as const))("%s", (id, { where }) => {
    const roles = where.roles ?? [];
    const isSent = (role: string) => role.startsWith("argument_") || role === "answer_text";
    const own = harmBySignature[id] ?? {};
    if (roles.some((role) => role === "any" || isSent(role))) expect(own.sends).toBeTypeOf("string");
    if (roles.some((role) => role === "any" || !isSent(role))) expect(own.reads).toBeTypeOf("string");
  });
  test("and no phrase is left of one that is gone", () => {
    const checks = readFileSync(join(CRATES, "policy/src/judged.rs"), "utf8");
    const known = new Set(signatures.map(({ id }) => id));
    const gone = Object.keys(harmBySignature).filter((id) => !known.has(id) && !checks.includes(`"${id}"`));
    expect(gone).toEqual([]);
  });
});

describe("the sentence is the one that the desktop's notifications say, too", () => {
  // The shell's `harm.rs` is held to the same cases.
  test.each(cases.map((one) => [one.why, one] as const))("%s", (_, { direction, said: sentence, ...one }) => {
    const to_client = direction === "to_client";
    const { signature, category, matched, destinations } = one;
    const parts =
      harmOf(
        facts(
          { signature, category, matched },
          { direction: to_client ? "to_client" : "to_upstream", destinations },
        ),
      ) ?? [];
    const lead = (to_client ? harmText.aboutTo : harmText.wants)("Cursor", false);
    expect(joined([lead, ...parts])).toEqual(sentence);
  });
});

/** Neighbouring strings as one: where a phrase was filled in is no matter of the sentence. */
function joined(parts: HarmPart[]): HarmPart[] {
  const out: HarmPart[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (typeof part === "string" && typeof last === "string") out[out.length - 1] = last + part;
    else out.push(part);
  }
  return out;
}

test("the phrases keep the rules of wording", () => {
  const phrases = [...Object.values(harmByCategory), ...Object.values(harmBySignature), harmUnknown].flatMap(
    (one) => Object.values(one) as string[],
  );
  for (const phrase of phrases) {
    expect(phrase).toMatch(/^[a-z]/);
    expect(phrase).not.toMatch(/[!.]$|malicious|threat|suspicious|attacker|may |potential|event|incident/i);
    expect(phrase.match(/\{(?!what\}|to\}|server\})/), phrase).toBeNull();
    expect(phrase.replace(/[[\]]/g, "").length, `room for a name beside it: ${phrase}`).toBeLessThan(96);
    // What may be unknown must be able to fall away.
    expect(phrase.replace(/\[[^\]]*\]/g, "")).not.toMatch(/\{what\}|\{to\}/);
  }
});

test("what is known is named, what is not falls away", () => {
  const key = { signature: "private-key-file", category: "arguments" };
  expect(said({ ...key, matched: "~/.ssh/id_ed25519" })).toBe(
    "open a private key, keychain or password store: ~/.ssh/id_ed25519",
  );
  expect(said(key)).toBe("open a private key, keychain or password store");
  const secret = { signature: "private-key-in-arguments", category: "secrets", matched: "-----" };
  expect(said(secret)).toBe("send a private key to mailer");
  expect(said(secret, { destinations: ["drop.example"] })).toBe(
    "send a private key to mailer, in a call that names drop.example",
  );
  expect(said(secret, { destinations: ["a.example", "b.example", "c.example"] })).toContain(
    "a.example and 2 more",
  );
});

test("a secret is never repeated in the sentence", () => {
  for (const category of ["secrets", "personal-data"])
    for (const direction of ["to_upstream", "to_client"] as const)
      expect(said({ category, matched: "AKIA0123" }, { direction })).not.toContain("AKIA");
});

test("the strongest Finding speaks, and a Signature of one's own brings its title", () => {
  const weak = { signature: "path-outside-roots", category: "arguments", severity: "low" } as const;
  const one = facts({ signature: "reads-secrets", category: "commands", matched: "cat /etc/shadow" });
  one.findings.unshift({ ...facts(weak).findings[0], verdict: "flag" } as Finding);
  expect(plainHarm(harmOf(one) ?? [])).toBe("read a private key or system secret: cat /etc/shadow");
  expect(needsTitle(one)).toBe(false);
  expect(needsTitle(facts({ signature: "mine", category: "injection" }))).toBe(true);
  expect(harmOf(facts({}, { findings: [] }))).toBeNull();
});

test("hostile names stay parts of their own, and are spelled out and cut in plain text", () => {
  const matched = `curl ${"x".repeat(80)}\u202Etxt.exe`;
  const parts = harmOf(facts({ signature: "download-and-run", matched })) ?? [];
  expect(parts.at(-1)).toEqual({ name: matched });
  const plain = plainHarm(parts);
  expect(plain).not.toContain("\u202E");
  expect(plain).toContain("…");
  expect(said({ category: "constructor", signature: "__proto__" })).toBe(harmUnknown.sends);
});
