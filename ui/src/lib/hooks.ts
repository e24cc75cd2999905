// Small hooks that belong to no page.
import { useEffect, useState } from "react";
import { connection } from "../api/client";
import { useStore } from "./store";

/** The time, renewed every `everyMs`, for "3 s ago". */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** False for the first 150 ms: an answer that comes at once shows no skeleton. */
export function useAfter(delayMs = 150): boolean {
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setPassed(true), delayMs);
    return () => clearTimeout(timer);
  }, [delayMs]);
  return passed;
}

/** True while the engine answers; everything that writes is off otherwise. */
export function useWritable(): boolean {
  return useStore(connection).down === null;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const change = () => setMatches(list.matches);
    change();
    list.addEventListener("change", change);
    return () => list.removeEventListener("change", change);
  }, [query]);
  return matches;
}
/** The small window while a full-screen app is in front (`question.rs` makes it 56 px high). */
export const useStrip = () => useMedia("(max-height: 100px)");
/** Below 900 px one column: the detail replaces the list. */
export const useNarrow = () => useMedia("(max-width: 900px)");

/** A word that is said for a moment. */
export function useSaid(forMs = 1500) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), forMs);
    return () => clearTimeout(timer);
  }, [said, forMs]);
  return [said, setSaid] as const;
}
