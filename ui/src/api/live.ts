// Keeps the event stream open: reconnects with backoff, tells the query cache what went stale, hands rows to listeners.
import type { QueryClient } from "@tanstack/react-query";
import type { LiveEvent } from "../types";
import { applyEvent, catchUp, refetchAll } from "./apply";
import { ApiFailure, auth, markDown, markUp, send } from "./client";
import { SseParser } from "./sse";

export type Listener = (event: LiveEvent | { kind: "reconnected" }) => void;
const listeners = new Set<Listener>();
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];

export function onLive(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(event: Parameters<Listener>[0]) {
  for (const listener of listeners) listener(event);
}

/** Runs until the returned function is called. */
export function startLive(client: QueryClient): () => void {
  const stop = new AbortController();
  void run(client, stop.signal);
  return () => stop.abort();
}

async function run(client: QueryClient, signal: AbortSignal) {
  let attempt = 0;
  let connectedBefore = false;
  while (!signal.aborted && auth.get().token !== null) {
    try {
      const answer = await send("/api/events", { signal, headers: { Accept: "text/event-stream" } });
      markUp();
      attempt = 0;
      if (connectedBefore) {
        // Whatever happened meanwhile was missed: read everything again.
        refetchAll(client);
        tell({ kind: "reconnected" });
      } else catchUp(client);
      connectedBefore = true;
      await readAll(answer, client);
    } catch (cause) {
      if (signal.aborted) return;
      if (cause instanceof ApiFailure && cause.status === 401) return;
    }
    if (signal.aborted) return;
    markDown();
    const base = BACKOFF_MS[Math.min(attempt++, BACKOFF_MS.length - 1)] ?? 15_000;
    await pause(base * (0.8 + Math.random() * 0.4), signal);
  }
}

async function readAll(answer: Response, client: QueryClient) {
  if (answer.body === null) return;
  const parser = new SseParser();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (const payload of parser.push(value)) {
      const event = parse(payload);
      if (event === null) continue;
      applyEvent(client, event);
      tell(event);
    }
  }
}

function parse(payload: string): LiveEvent | null {
  try {
    return JSON.parse(payload) as LiveEvent;
  } catch {
    // An event of a newer engine that this page cannot read is skipped, not fatal.
    return null;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", wake, { once: true });
    window.addEventListener("online", wake, { once: true });
  });
}
