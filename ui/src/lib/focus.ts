// Where the focus goes: among the items of a list, and when what had it goes away.
import { type FocusEvent, useLayoutEffect, useRef } from "react";
import { useKeys } from "./keys";

/** j, k, arrows, Home and End in lists that are not virtual: moves the focus among what matches `selector`. */
export function useFocusKeys<T extends HTMLElement>(selector: string) {
  const box = useRef<T>(null);
  const to = (choose: (at: number, last: number) => number) => () => {
    const all = [...(box.current?.querySelectorAll<HTMLElement>(selector) ?? [])];
    if (all.length === 0) return false;
    const active = document.activeElement;
    const at = all.findIndex((one) => one === active || one.contains(active));
    const next = all[Math.max(0, Math.min(all.length - 1, choose(at, all.length - 1)))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return true;
  };
  const down = to((at) => at + 1);
  const up = to((at) => at - 1);
  useKeys({ j: down, ArrowDown: down, k: up, ArrowUp: up, Home: to(() => 0), End: to((_, last) => last) });
  return box;
}

/** For a box whose controls replace each other: when the one with the focus is gone, the focus goes to what matches
 * `selector`, in the box or else on the page. Without that it would be nowhere, and Tab would begin at the top. */
export function useKeepFocus(selector: string) {
  const last = useRef<{ box: HTMLElement; control: HTMLElement } | null>(null);
  useLayoutEffect(() => {
    if (last.current === null || last.current.control.isConnected) return;
    const { box } = last.current;
    last.current = null;
    if (document.activeElement !== document.body) return;
    (box.querySelector<HTMLElement>(selector) ?? document.querySelector<HTMLElement>(selector))?.focus();
  });
  return {
    onFocus: ({ currentTarget, target }: FocusEvent<HTMLElement>) => {
      last.current = { box: currentTarget, control: target as HTMLElement };
    },
  };
}
