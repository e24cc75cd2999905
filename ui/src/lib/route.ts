// The address bar is the state: page, filter and what is open. `/traffic?app=cursor&verdict=block#ex_<id>`.
import { useSyncExternalStore } from "react";

export const PAGES = [
  "overview",
  "alerts",
  "traffic",
  "apps",
  "signatures",
  "decisions",
  "settings",
  "drill",
  "ask",
  "report",
  "welcome",
  "pins",
] as const;
export type Page = (typeof PAGES)[number];
/** `open` is what stands behind the `#`, without its prefix: an Exchange's, Signature's or app's id. */
export type Route = { page: Page; search: string; open: string | null };

const PREFIX: Partial<Record<Page, string>> = {
  alerts: "ex_",
  traffic: "ex_",
  signatures: "sig_",
  apps: "app_",
  ask: "ask_",
  report: "ex_",
  pins: "pin_",
};

export function parseRoute(pathname: string, search: string, hash: string): Route {
  const name = pathname.split("/")[1] ?? "";
  const page = PAGES.find((known) => known === name) ?? "overview";
  const prefix = PREFIX[page];
  const anchor = decode(hash.slice(1));
  const open = prefix && anchor.startsWith(prefix) ? anchor.slice(prefix.length) : null;
  return { page, search: search.replace(/^\?/, ""), open: open === "" ? null : open };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function toHref(route: { page: Page; search?: string; open?: string | null }): string {
  const path = route.page === "overview" ? "/" : `/${route.page}`;
  const search = route.search ? `?${route.search}` : "";
  const open = route.open ? `#${PREFIX[route.page] ?? ""}${encodeURIComponent(route.open)}` : "";
  return `${path}${search}${open}`;
}

const listeners = new Set<() => void>();
let current: Route | null = null;
function changed() {
  current = null;
  for (const listener of listeners) listener();
}
function read(): Route {
  current ??= parseRoute(location.pathname, location.search, location.hash);
  return current;
}
function subscribe(listener: () => void) {
  if (listeners.size === 0) window.addEventListener("popstate", changed);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("popstate", changed);
  };
}

export function navigate(route: Parameters<typeof toHref>[0], how: "push" | "replace" = "push") {
  const href = toHref(route);
  if (href !== location.pathname + location.search + location.hash) {
    history[how === "push" ? "pushState" : "replaceState"](null, "", href);
  }
  changed();
}
export function useRoute(): Route {
  return useSyncExternalStore(subscribe, read);
}

/** `#pair=CODE`, or `#pair=CODE&ex_1`: the code, and what is to be open after pairing (the tray's links carry both). */
export function splitPairing(hash: string): { code: string; rest: string } | null {
  const [, code, rest] = /^#pair=([^&]+)(?:&(.*))?$/.exec(hash) ?? [];
  return code === undefined ? null : { code: decode(code), rest: rest ? `#${rest}` : "" };
}

/** Takes the code out of the address bar at once, so that it stays in no history and no screenshot. */
export function takePairCode(): string | null {
  const pairing = splitPairing(location.hash);
  if (pairing === null) return null;
  history.replaceState(null, "", location.pathname + location.search + pairing.rest);
  changed();
  return pairing.code;
}
