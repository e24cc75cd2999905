// The Alert list as it was when the person began to read; what is newer waits until it is asked for.
import { useReducer, useRef } from "react";
import type { AlertGroup } from "../../types";

export function useHeldAlerts(groups: AlertGroup[], reading: boolean, tab: string) {
  const kept = useRef({ tab, groups });
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  if (!reading || kept.current.tab !== tab || kept.current.groups.length === 0)
    kept.current = { tab, groups };
  const shown = kept.current.groups;
  const known = new Set(shown.map((group) => group.newest.id));
  const since = shown[0]?.newest.at ?? 0;
  const held = groups.filter((group) => !known.has(group.newest.id) && group.newest.at >= since).length;
  const showHeld = () => {
    kept.current = { tab, groups };
    redraw();
  };
  return { shown, held, showHeld };
}
