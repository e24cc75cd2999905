// The rows of the Traffic page: pages of history from the server, and live rows, which join only while the person is
// not reading. Selection, scroll and open detail never move by themselves.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { onLive } from "../../api/live";
import { fetchExchanges, keys, PAGE_ROWS, useExchanges } from "../../api/queries";
import { type Filter, matches, toSearch } from "../../lib/filter";
import type { ExchangeRow } from "../../types";

export type GapRow = { gap: number; at: number; id: string };
export type TrafficRow = ExchangeRow | GapRow;
export const isGap = (row: TrafficRow): row is GapRow => "gap" in row;

/** `more`: so many came while away that the pages below no longer join on. */
type Live = {
  of: string;
  joined: TrafficRow[];
  held: TrafficRow[];
  patched: Map<string, ExchangeRow>;
  more: boolean;
};
const FLUSH_MS = 200;
const CATCH_UP_MS = 1000;
const MOST_JOINED = 3000;
const nothing = (of: string): Live => ({ of, joined: [], held: [], patched: new Map(), more: false });

export function useTraffic(filter: Filter, reading: boolean) {
  const client = useQueryClient();
  const query = useExchanges(filter);
  const of = toSearch(filter);
  const [live, setLive] = useState<Live>(() => nothing(of));
  const current = live.of === of ? live : nothing(of);
  const known = useRef<{ ids: Set<string>; reading: boolean }>({ ids: new Set(), reading });
  known.current.reading = reading;

  const rows = useMemo(() => {
    const ids = new Set<string>();
    const all: TrafficRow[] = [];
    for (const row of [...current.joined, ...(query.data?.pages.flatMap((page) => page.rows) ?? [])]) {
      if (ids.has(row.id)) continue;
      ids.add(row.id);
      all.push(isGap(row) ? row : (current.patched.get(row.id) ?? row));
    }
    for (const row of current.held) ids.add(row.id);
    known.current.ids = ids;
    return all;
  }, [current.joined, current.held, current.patched, query.data]);

  const take = useCallback(
    (added: TrafficRow[], patched: ExchangeRow[], more: boolean) => {
      if (added.length + patched.length === 0 && !more) return;
      setLive((old) => {
        const base = old.of === of ? old : nothing(of);
        const patches = new Map(base.patched);
        for (const row of patched) patches.set(row.id, row);
        const newer = added.filter((row) => !known.current.ids.has(row.id)).reverse();
        const hold = known.current.reading || more || base.held.length > 0;
        return {
          of,
          joined: hold ? base.joined : [...newer, ...base.joined],
          held: hold ? [...newer, ...base.held] : base.held,
          patched: patches,
          more: base.more || more,
        };
      });
    },
    [of],
  );

  useEffect(() => {
    let added: TrafficRow[] = [];
    let patched: ExchangeRow[] = [];
    let flushing: ReturnType<typeof setTimeout> | undefined;
    let catching: ReturnType<typeof setTimeout> | undefined;
    const away = new AbortController();
    const flush = () => {
      flushing = undefined;
      take(added, patched, false);
      added = [];
      patched = [];
    };
    const catchUp = async () => {
      catching = undefined;
      const page = await fetchExchanges(filter, null, away.signal).catch(() => null);
      if (page === null) return;
      const newer = page.rows.filter((row) => !known.current.ids.has(row.id));
      take(newer.reverse(), [], newer.length >= PAGE_ROWS && known.current.ids.size > 0);
    };
    const stop = onLive((event) => {
      if (event.kind === "exchange") {
        const belongs = matches(filter, event.row, Date.now());
        if (belongs === false) return;
        if (belongs === null) catching ??= setTimeout(() => void catchUp(), CATCH_UP_MS);
        else added.push(event.row);
      } else if (event.kind === "exchange_updated") {
        // A row may begin to match only with its response (verdict=block).
        if (known.current.ids.has(event.row.id) || added.some((row) => row.id === event.row.id))
          patched.push(event.row);
        else if (matches(filter, event.row, Date.now())) added.push(event.row);
      } else if (event.kind === "gap") {
        const at = Date.now();
        added.push({ gap: event.dropped, at, id: `gap-${at}-${event.dropped}` });
      } else if (
        event.kind === "reconnected" ||
        (event.kind === "stale" && event.what.includes("exchanges"))
      ) {
        catching ??= setTimeout(() => void catchUp(), 0);
      }
      flushing ??= setTimeout(flush, FLUSH_MS);
    });
    return () => {
      stop();
      away.abort();
      clearTimeout(flushing);
      clearTimeout(catching);
    };
  }, [filter, take]);

  const startOver = useCallback(() => {
    setLive(nothing(of));
    void client.resetQueries({ queryKey: keys.exchanges(filter), exact: true });
  }, [client, filter, of]);
  /** Shows what was held back. */
  const showHeld = useCallback(() => {
    if (current.more) startOver();
    else setLive((old) => ({ ...old, joined: [...old.held, ...old.joined], held: [] }));
  }, [current.more, startOver]);
  useEffect(() => {
    // A list left open for days stays small.
    if (current.joined.length > MOST_JOINED && !reading) startOver();
  }, [current.joined.length, reading, startOver]);
  useEffect(() => {
    if (!reading && current.held.length > 0 && !current.more) showHeld();
  }, [reading, current.held.length, current.more, showHeld]);

  const first = query.data?.pages[0];
  const plain = (list: TrafficRow[]) => list.filter((row) => !isGap(row)).length;
  const total = first === undefined || first.total === null ? null : first.total + plain(current.joined);
  return {
    query,
    rows,
    held: plain(current.held),
    more: current.more,
    showHeld,
    total,
    loaded: first !== undefined,
  };
}
