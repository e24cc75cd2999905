// What one live event changes in the query cache. Cheap facts are patched in place, everything else is refetched,
// at most once a second per query, so that a busy server does not turn into a busy dashboard.
import type { QueryClient } from "@tanstack/react-query";
import type { App, Ask, AskList, ExchangeRow, LiveEvent, Status } from "../types";
import { keys } from "./queries";

const REFETCH_MS = 1000;
const waiting = new Map<string, ReturnType<typeof setTimeout>>();

function refetchSoon(client: QueryClient, key: string) {
  if (waiting.has(key)) return;
  waiting.set(
    key,
    setTimeout(() => {
      waiting.delete(key);
      void client.invalidateQueries({ queryKey: [key] });
    }, REFETCH_MS),
  );
}

/** All but the Traffic pages that were read: those are history, and the page catches up by itself (`useTraffic`). */
export function refetchAll(client: QueryClient) {
  void client.invalidateQueries({
    predicate: ({ queryKey, state }) => queryKey[0] !== "exchanges" || state.data === undefined,
  });
}

/** At the start: what happened between the first answers and the stream was told to nobody here; and what could not be
 * read then can be now. */
export function catchUp(client: QueryClient) {
  void client.invalidateQueries({ predicate: ({ state }) => state.status === "error" });
  void client.invalidateQueries({ queryKey: keys.asks });
  for (const what of ["asks", "status", "alerts", "stats"]) refetchSoon(client, what);
}

export function applyEvent(client: QueryClient, event: LiveEvent) {
  switch (event.kind) {
    case "exchange":
      seen(client, event.row);
      refetchSoon(client, "stats");
      alerted(client, event.row);
      return;
    case "exchange_updated":
      void client.invalidateQueries({ queryKey: keys.exchange(event.row.id) });
      alerted(client, event.row);
      return;
    case "change":
      for (const key of ["status", "apps", "settings"]) refetchSoon(client, key);
      return;
    case "stale":
      if (event.what.length === 0) refetchAll(client);
      for (const what of [...event.what, "status", "apps"])
        if (what !== "exchanges") refetchSoon(client, what);
      return;
    case "drill":
      client.setQueryData(keys.drill, event.report);
      return;
    case "asked":
      client.setQueryData<AskList>(keys.asks, (list) => list && withAsk(list, event.ask));
      void client.invalidateQueries({ queryKey: keys.asks });
      // A first answer under way is not asked for again, and may be older than this event.
      refetchSoon(client, "asks");
      return;
    case "answered":
      void client.invalidateQueries({ queryKey: keys.asks });
      for (const key of ["asks", "decisions", "budget", "status"]) refetchSoon(client, key);
      return;
    case "gap":
      refetchSoon(client, "stats");
      return;
    case "hello":
      return;
  }
}

/** A question must not wait for a refetch: its time runs. */
function withAsk(list: AskList, ask: Ask): AskList {
  const others = (asks: Ask[]) => asks.filter((one) => one.id !== ask.id);
  if (ask.state !== "waiting")
    return { ...list, waiting: others(list.waiting), recent: [ask, ...others(list.recent)] };
  const waiting = [...others(list.waiting), ask].sort((a, b) => a.deadline_at - b.deadline_at);
  return { ...list, waiting, recent: others(list.recent) };
}

function alerted(client: QueryClient, row: ExchangeRow) {
  if (row.verdict === "allow") return;
  for (const key of ["status", "alerts"]) refetchSoon(client, key);
}

/** "Seen 3 s ago" must not wait for the next refetch. */
function seen(client: QueryClient, row: ExchangeRow) {
  client.setQueryData<Status>(
    keys.status,
    (status) => status && { ...status, last_message_at: row.at, messages_today: status.messages_today + 1 },
  );
  let unknown = false;
  client.setQueryData<App[]>(keys.apps, (apps) =>
    apps?.map((app) =>
      app.id !== row.app
        ? app
        : {
            ...app,
            files: app.files.map((file) => ({
              ...file,
              servers: file.servers.map((server) => {
                if (server.id !== row.upstream) return server;
                if (server.observed.state !== "seen") unknown = true;
                return server.observed.state === "seen"
                  ? {
                      ...server,
                      observed: { state: "seen" as const, at: row.at },
                      messages_24h: server.messages_24h + 1,
                    }
                  : server;
              }),
            })),
          },
    ),
  );
  // The first Message of a server changes its observed state and the counts: the engine says how.
  if (unknown) for (const key of ["apps", "status"]) refetchSoon(client, key);
}
