// j, k, arrows, Home and End in lists that are not virtual: moves the focus among what matches `selector`.
import { useRef } from "react";
import { useKeys } from "./keys";

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
