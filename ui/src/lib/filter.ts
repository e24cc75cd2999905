// The Traffic filter: one value with three forms, the URL's, the search box's and the API's. Pure.
import type { ExchangeRow, Verdict } from "../types";

export type Filter = {
  app?: string;
  upstream?: string;
  verdict?: string;
  method?: string;
  target?: string;
  direction?: string;
  since?: string;
  until?: string;
  q?: string;
};
const KEYS = ["app", "upstream", "verdict", "method", "target", "direction", "since", "until", "q"] as const;
/** What may be typed as `word:value` in the search box; servers are chosen by name from their own list. */
const WORDS: Record<string, keyof Filter> = {
  app: "app",
  verdict: "verdict",
  method: "method",
  tool: "target",
  direction: "direction",
  since: "since",
  until: "until",
};

export function fromSearch(search: string): Filter {
  const params = new URLSearchParams(search);
  const filter: Filter = {};
  for (const key of KEYS) {
    const value = params.get(key);
    if (value) filter[key] = value;
  }
  return filter;
}

export function toSearch(filter: Filter): string {
  const params = new URLSearchParams();
  for (const key of KEYS) {
    const value = filter[key];
    if (value) params.set(key, value);
  }
  return params.toString();
}

export function isEmpty(filter: Filter): boolean {
  return KEYS.every((key) => !filter[key]);
}

const quote = (value: string) => (/[\s"]/.test(value) ? `"${value.replaceAll('"', '\\"')}"` : value);

/** The search box's text. Verdict and server have lists of their own beside the box and are left out. */
export function toText(filter: Filter): string {
  const words = Object.entries(WORDS)
    .filter(([word, key]) => word !== "verdict" && filter[key])
    .map(([word, key]) => `${word}:${quote(filter[key] ?? "")}`);
  if (filter.q) words.push(filter.q);
  return words.join(" ");
}

/** Reads the box again; `before` keeps what the box does not show. */
export function fromText(typed: string, before: Filter): Filter {
  const filter: Filter = {};
  if (before.upstream) filter.upstream = before.upstream;
  if (before.verdict) filter.verdict = before.verdict;
  const free: string[] = [];
  for (const token of typed.match(/[a-z]+:"(?:\\.|[^"\\])*"|\S+/g) ?? []) {
    const colon = token.indexOf(":");
    const key = colon > 0 ? WORDS[token.slice(0, colon)] : undefined;
    const value = unquote(token.slice(colon + 1));
    if (key && value !== "") filter[key] = value;
    else if (!key) free.push(token);
  }
  if (free.length > 0) filter.q = free.join(" ");
  return filter;
}

function unquote(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1).replace(/\\(.)/g, "$1")
    : value;
}

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m`, `1h`, `1d` (before now), `11:30` (today), Unix milliseconds, or a date that Date understands. */
export function toUnixMs(when: string, now: number): number | null {
  const ago = /^(\d{1,5})([mhd])$/.exec(when);
  if (ago) return now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? 0);
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(when);
  if (clock) {
    const date = new Date(now);
    date.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0);
    return date.getTime();
  }
  if (/^\d{11,}$/.test(when)) return Number(when);
  const parsed = Date.parse(when);
  return Number.isNaN(parsed) ? null : parsed;
}

export function toApiParams(filter: Filter, now: number): URLSearchParams {
  const params = new URLSearchParams();
  for (const key of KEYS) {
    const value = filter[key];
    if (!value) continue;
    if (key === "since" || key === "until") {
      const at = toUnixMs(value, now);
      if (at !== null) params.set(key, String(at));
    } else params.set(key, value);
  }
  return params;
}

/** Whether a live row belongs into the filtered list; null when only the server can tell (full text). */
export function matches(filter: Filter, row: ExchangeRow, now: number): boolean | null {
  if (filter.app && row.app !== filter.app) return false;
  if (filter.upstream && row.upstream !== filter.upstream) return false;
  if (filter.verdict && !filter.verdict.split(",").includes(row.verdict satisfies Verdict)) return false;
  if (filter.method && row.method !== filter.method) return false;
  if (filter.target && row.target !== filter.target) return false;
  if (filter.direction && row.direction !== filter.direction) return false;
  const since = filter.since ? toUnixMs(filter.since, now) : null;
  if (since !== null && row.at < since) return false;
  const until = filter.until ? toUnixMs(filter.until, now) : null;
  if (until !== null && row.at > until) return false;
  return filter.q ? null : true;
}
