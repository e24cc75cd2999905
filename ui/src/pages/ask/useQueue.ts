// Which question is on the screen: the one that was, until the person leaves it; never replaced by another one.
import { useEffect, useState } from "react";
import { useAsks } from "../../api/queries";
import type { Ask } from "../../types";

export function useQueue(wanted: string | null) {
  const asks = useAsks();
  const waiting = asks.data?.waiting ?? [];
  const recent = asks.data?.recent ?? [];
  const [kept, setKept] = useState<Ask | null>(null);
  const find = (id: string | null | undefined) => [...waiting, ...recent].find((ask) => ask.id === id);
  const chosen = wanted === null ? undefined : find(wanted);
  const newest = find(kept?.id);
  const first = waiting[0];
  // What is shown stays, in its newest state, also when the engine has forgotten it meanwhile.
  const shown = chosen ?? newest ?? kept ?? first ?? null;
  useEffect(() => {
    if (shown !== null && shown !== kept) setKept(shown);
  }, [shown, kept]);
  const others = waiting.filter((ask) => ask.id !== shown?.id);
  const next = () => setKept(others[0] ?? null);
  const same = waiting.filter((ask) => ask.upstream === shown?.upstream);
  return { query: asks, waiting, recent, shown, same, more: others.length, next };
}
