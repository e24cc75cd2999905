// The keyboard: one listener, the newest handler first. Single letters never fire in a text field and can be off.
import { useEffect, useRef } from "react";
import { prefs } from "./prefs";

/** Key names as `KeyboardEvent.key`; `Ctrl k` with a modifier, `g o` after `g`. False: not handled after all. */
export type KeyMap = Record<string, ((event: KeyboardEvent) => unknown) | undefined>;
const handlers: { current: KeyMap }[] = [];
let afterG = 0;

export function useKeys(map: KeyMap) {
  const handler = useRef(map);
  handler.current = map;
  useEffect(() => {
    if (handlers.length === 0) window.addEventListener("keydown", onKey);
    handlers.push(handler);
    return () => {
      handlers.splice(handlers.indexOf(handler), 1);
      if (handlers.length === 0) window.removeEventListener("keydown", onKey);
    };
  }, []);
}

const inTextField = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    (target instanceof HTMLInputElement && target.type !== "checkbox") ||
    target.tagName === "SELECT");
/** Enter and the arrows belong to a focused control; lists themselves are focused as a grid and pass them on. */
const isControl = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest("button, a[href], input, select, [role=menu]") !== null;

function onKey(event: KeyboardEvent) {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  let name = event.key;
  if (event.ctrlKey || event.metaKey) name = `Ctrl ${name.toLowerCase()}`;
  else if (name !== "Escape") {
    if (inTextField(event.target)) return;
    if (name.length === 1 && !prefs.get().letters) return;
    if (name === "Enter" && isControl(event.target)) return;
    if (
      name.startsWith("Arrow") &&
      event.target instanceof HTMLElement &&
      event.target.closest("[role=menu], [role=tablist], [role=radiogroup]")
    )
      return;
    if (name === "g") {
      afterG = Date.now();
      return;
    }
    if (afterG !== 0 && Date.now() - afterG < 1500 && name.length === 1) name = `g ${name}`;
    afterG = 0;
  }
  for (const handler of [...handlers].reverse()) {
    const act = handler.current[name];
    if (act === undefined || act(event) === false) continue;
    event.preventDefault();
    return;
  }
}
