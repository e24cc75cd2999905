// Every question the dashboard asks the engine, as hooks. Keys start with the word that `Stale` events use.
import { keepPreviousData, QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type Filter, toApiParams } from "../lib/filter";
import type {
  AlertPage,
  App,
  AskBudget,
  AskList,
  DecisionRow,
  DrillReport,
  ExchangeDetail,
  ExchangePage,
  JudgeList,
  Modes,
  PinDetail,
  PinList,
  Settings,
  SignatureInfo,
  SignatureList,
  SignIn,
  Stats,
  Status,
} from "../types";
import { ApiFailure, getJson } from "./client";

/** The first page is there at once; who scrolls on wants many. */
export const PAGE_ROWS = 200;
const NEXT_ROWS = 1000;
export type DecisionFilter = "active" | "ended" | "all";
export type AlertState = "open" | "reviewed" | "all";

export const keys = {
  status: ["status"] as const,
  apps: ["apps"] as const,
  stats: ["stats"] as const,
  alerts: (state: AlertState) => ["alerts", state] as const,
  exchanges: (filter: Filter) => ["exchanges", filter] as const,
  exchange: (id: string) => ["exchange", id] as const,
  signatures: ["signatures"] as const,
  signature: (id: string) => ["signatures", id] as const,
  settings: ["settings"] as const,
  drill: ["drill"] as const,
  asks: ["asks"] as const,
  budget: ["budget"] as const,
  decisions: (state: DecisionFilter) => ["decisions", state] as const,
  modes: ["modes"] as const,
  signIns: ["sign-ins"] as const,
  ownSignIns: ["sign-ins", "own"] as const,
  judges: ["judges"] as const,
};

export function createQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchOnWindowFocus: true,
        // The event stream notices a return of the engine and invalidates; retrying here only delays the error line.
        retry: (count, error) => count < 1 && !(error instanceof ApiFailure),
      },
    },
  });
}

export const useStatus = () =>
  useQuery({
    queryKey: keys.status,
    queryFn: ({ signal }) => getJson<Status>("/api/status", signal),
    refetchInterval: 15_000,
  });
export const useApps = () =>
  useQuery({
    queryKey: keys.apps,
    queryFn: ({ signal }) => getJson<App[]>("/api/apps", signal),
    refetchInterval: 30_000,
  });
/** What is drawn with names of apps waits for them, so that no id turns into a name under the reader. When the apps cannot
 * be read, ids are better than nothing. `before(query)`: what a part of a page that needs both waits for. */
export function useNames() {
  const apps = useApps();
  const ready = apps.data !== undefined || apps.isError;
  return { apps: apps.data, ready, before: <Q>(query: Q) => (ready ? query : apps) };
}
export const useStats = () =>
  useQuery({
    queryKey: keys.stats,
    queryFn: ({ signal }) => getJson<Stats>("/api/stats?hours=24", signal),
    refetchInterval: 60_000,
  });
export const useAlerts = (state: AlertState) =>
  useQuery({
    queryKey: keys.alerts(state),
    queryFn: ({ signal }) => getJson<AlertPage>(`/api/alerts?state=${state}`, signal),
    placeholderData: keepPreviousData,
  });
export const useSignatures = () =>
  useQuery({
    queryKey: keys.signatures,
    queryFn: ({ signal }) => getJson<SignatureList>("/api/signatures", signal),
  });
export const useSignature = (id: string) =>
  useQuery({
    queryKey: keys.signature(id),
    queryFn: ({ signal }) => getJson<SignatureInfo>(`/api/signatures/${encodeURIComponent(id)}`, signal),
  });
export const useSettings = () =>
  useQuery({ queryKey: keys.settings, queryFn: ({ signal }) => getJson<Settings>("/api/settings", signal) });
export const useDrill = () =>
  useQuery({
    queryKey: keys.drill,
    queryFn: ({ signal }) => getJson<DrillReport | null>("/api/drill", signal),
    refetchInterval: (query) => (query.state.data?.running ? 1_000 : false),
  });
export const useAsks = () =>
  useQuery({
    queryKey: keys.asks,
    queryFn: ({ signal }) => getJson<AskList>("/api/asks", signal),
    refetchInterval: (query) => (query.state.data?.waiting.length ? 5_000 : 30_000),
  });
export const useBudget = () =>
  useQuery({
    queryKey: keys.budget,
    queryFn: ({ signal }) => getJson<AskBudget>("/api/asks/budget?days=30", signal),
    refetchInterval: 300_000,
  });
export const useDecisions = (state: DecisionFilter) =>
  useQuery({
    queryKey: keys.decisions(state),
    queryFn: ({ signal }) => getJson<DecisionRow[]>(`/api/decisions?state=${state}`, signal),
    placeholderData: keepPreviousData,
  });
export const useSignIns = () =>
  useQuery({
    queryKey: keys.signIns,
    queryFn: ({ signal }) => getJson<SignIn[]>("/api/sign-ins", signal),
    refetchInterval: 10_000,
  });
export const useOwnSignIns = () =>
  useQuery({
    queryKey: keys.ownSignIns,
    queryFn: ({ signal }) => getJson<string[]>("/api/sign-ins/own", signal),
  });
export const useJudges = () =>
  useQuery({
    queryKey: keys.judges,
    queryFn: ({ signal }) => getJson<JudgeList>("/api/judges", signal),
    refetchInterval: 15_000,
  });
export const useModes = () =>
  useQuery({ queryKey: keys.modes, queryFn: ({ signal }) => getJson<Modes>("/api/modes", signal) });
export const usePins = (state: string, upstream: string | null) =>
  useQuery({
    queryKey: ["pins", state, upstream],
    queryFn: ({ signal }) => {
      const params = new URLSearchParams({ state });
      if (upstream !== null) params.set("upstream", upstream);
      return getJson<PinList>(`/api/pins?${params}`, signal);
    },
    placeholderData: keepPreviousData,
  });
export const usePin = (id: string) =>
  useQuery({
    queryKey: ["pins", "one", id],
    queryFn: ({ signal }) => getJson<PinDetail>(`/api/pins/${encodeURIComponent(id)}`, signal),
  });
export const useExchange = (id: string) =>
  useQuery({
    queryKey: keys.exchange(id),
    queryFn: ({ signal }) => getJson<ExchangeDetail>(`/api/exchanges/${encodeURIComponent(id)}`, signal),
    staleTime: 60_000,
  });

export function fetchExchanges(filter: Filter, cursor: string | null, signal?: AbortSignal) {
  const params = toApiParams(filter, Date.now());
  params.set("limit", String(cursor === null ? PAGE_ROWS : NEXT_ROWS));
  if (cursor !== null) params.set("cursor", cursor);
  return getJson<ExchangePage>(`/api/exchanges?${params}`, signal);
}
export const useExchanges = (filter: Filter) =>
  useInfiniteQuery({
    queryKey: keys.exchanges(filter),
    queryFn: ({ pageParam, signal }) => fetchExchanges(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    // Rows are immutable history; newer ones come through the event stream and are held back while reading.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
