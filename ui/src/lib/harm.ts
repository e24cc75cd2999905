// What a held call would do, and to what, as one sentence: the catalogue's phrase for its strongest Finding, filled with
// names from the call. Names are hostile text, so they stay parts of their own. Pure.
import { harmByCategory, harmBySignature, harmText, harmUnknown } from "../text/harm";
import type { Ask, Finding } from "../types";
import { plainName } from "./reveal";
import { strongestFirst } from "./session";

/** A string is ours; a name was given by a server, an app or a model. */
export type HarmPart = string | { name: string };
export type HarmFacts = Pick<Ask, "direction" | "findings" | "destinations" | "upstream_name" | "method">;

/** "read a private key: `~/.ssh/id_ed25519`"; null without a Finding. */
export function harmOf(ask: HarmFacts): HarmPart[] | null {
  const finding = strongestFirst(ask.findings)[0];
  return finding === undefined ? null : filled(phraseOf(finding, ask.direction).phrase, ask, finding);
}

/** A phrase of the category says little about a Signature that somebody wrote: its own title is needed beside it. */
export function needsTitle(ask: HarmFacts): boolean {
  const finding = strongestFirst(ask.findings)[0];
  return finding !== undefined && !phraseOf(finding, ask.direction).own;
}

export function phraseOf(finding: Finding, direction: Ask["direction"]): { phrase: string; own: boolean } {
  const side = direction === "to_client" ? "reads" : "sends";
  const of = <T>(map: Record<string, T>, key: string) => (Object.hasOwn(map, key) ? map[key] : undefined);
  const own = of(harmBySignature, finding.signature)?.[side];
  if (own !== undefined) return { phrase: own, own: true };
  return { phrase: (of(harmByCategory, finding.category) ?? harmUnknown)[side], own: false };
}

/** The same as plain text, for labels: invisible characters are spelled out. */
export const plainHarm = (parts: HarmPart[]) =>
  parts.map((part) => (typeof part === "string" ? part : plainName(part.name))).join("");

function filled(phrase: string, ask: HarmFacts, finding: Finding): HarmPart[] {
  const names: Record<string, HarmPart[]> = {
    what: finding.matched.trim() === "" ? [] : [{ name: finding.matched.trim() }],
    to: hosts(ask.destinations),
    server: [{ name: ask.upstream_name }],
  };
  const out: HarmPart[] = [];
  // Every second part stood in brackets.
  phrase.split(/[[\]]/).forEach((part, i) => {
    const words = part.split(/\{(\w+)\}/);
    const isKnown = words.every((word, n) => n % 2 === 0 || (names[word] ?? []).length > 0);
    if (i % 2 === 1 && !isKnown) return;
    for (const [n, word] of words.entries()) out.push(...(n % 2 === 0 ? [word] : (names[word] ?? [])));
  });
  return out.filter((part) => part !== "");
}

function hosts(destinations: string[]): HarmPart[] {
  const [first, ...others] = destinations;
  if (first === undefined) return [];
  return others.length === 0 ? [{ name: first }] : [{ name: first }, harmText.more(others.length)];
}
