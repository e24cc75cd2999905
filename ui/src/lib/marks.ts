// Where in the laid-out Message a Finding's match is. The stored text is masked and capped, so a raw byte span may no
// longer fit: every candidate is checked against what the Finding says it matched before it is believed. Pure.
import type { Finding } from "../types";
import { type Layout, type Token, toShown } from "./layout";
import { spanToRange } from "./spans";

export type Mark = { start: number; end: number };
export type Side = "request" | "response";

/** Findings of the response have paths below `/result` or `/error`. */
export function sideOf(finding: Finding): Side {
  return /^\/(result|error)(\/|$)/.test(finding.json_path) ? "response" : "request";
}

export function locate(raw: string, laid: Layout, finding: Finding): Mark | null {
  const bySpan = finding.span && rangeOfSpan(raw, laid, finding);
  if (bySpan && agrees(laid.text.slice(bySpan.start, bySpan.end), finding.matched)) return bySpan;
  const own = laid.tokens.filter((token) => token.path === finding.json_path && isText(token));
  const byText = searchIn(laid, own, finding.matched);
  if (byText) return byText;
  if (bySpan && own.some((token) => token.start <= bySpan.start && bySpan.end <= token.end)) return bySpan;
  const value = own.find((token) => token.kind !== "key");
  if (value && finding.json_path !== "") return withoutQuotes(laid, value);
  // A match that spans several values (a whole tool definition): its strings below the path are searched.
  const below = laid.tokens.filter(
    (token) => token.path.startsWith(`${finding.json_path}/`) && isText(token),
  );
  const inside = searchIn(laid, below, finding.matched);
  const key = finding.json_path === "" ? undefined : own[0];
  return inside ?? bySpan ?? (key ? withoutQuotes(laid, key) : null);
}

function rangeOfSpan(raw: string, laid: Layout, finding: Finding): Mark | null {
  const range = finding.span && spanToRange(raw, finding.span);
  if (!range) return null;
  const shown = toShown(laid, range.start, range.end);
  return shown.end > shown.start ? shown : null;
}

const isText = (token: Token) => token.kind === "string" || token.kind === "key" || token.kind === "literal";

/** `matched` may be cut at 200 characters and masked after the first 4. */
function agrees(shown: string, matched: string): boolean {
  const bare = shown.replace(/^"|"$/g, "");
  if (matched === "" || bare === "") return false;
  return bare === matched || bare.startsWith(cutTail(matched)) || matched.startsWith(bare);
}

const cutTail = (matched: string) => matched.replace(/[…•*]+.*$/su, "").slice(0, 200);

function searchIn(laid: Layout, tokens: Token[], matched: string): Mark | null {
  const needle = cutTail(matched);
  if (needle.length < Math.min(4, matched.length) || needle === "") return null;
  for (const token of tokens) {
    const value = laid.text.slice(token.start, token.end);
    const at = value.indexOf(matched) === -1 ? value.indexOf(needle) : value.indexOf(matched);
    if (at === -1) continue;
    const length = value.startsWith(matched, at) ? matched.length : needle.length;
    return { start: token.start + at, end: token.start + at + length };
  }
  return null;
}

function withoutQuotes(laid: Layout, token: Token): Mark {
  const quoted = laid.text[token.start] === '"' && token.end - token.start > 2;
  const closed = quoted && laid.text[token.end - 1] === '"';
  return { start: token.start + (quoted ? 1 : 0), end: token.end - (closed ? 1 : 0) };
}

/** Overlapping and touching marks become one, in order. */
export function mergeMarks(marks: Mark[]): Mark[] {
  const merged: Mark[] = [];
  for (const mark of [...marks].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && mark.start <= last.end) last.end = Math.max(last.end, mark.end);
    else merged.push({ ...mark });
  }
  return merged;
}
