// What it means that somebody looks at a question: its deadline moves as far as the app can bear, once; and the window
// does not close by itself any more.
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { write } from "../../api/client";
import type { Ask } from "../../types";

/** How long a window that nobody looked at still says how its question ended. */
export const STAYS_MS = 8000;

export function useLook(ask: Ask) {
  const [looked, setLooked] = useState(false);
  const asked = useRef(false);
  const extend = useMutation({
    mutationFn: () => write<Ask>("POST", `/api/asks/${encodeURIComponent(ask.id)}/extend`),
  });
  const { mutate } = extend;
  const extendable = ask.state === "waiting" && ask.extends_to !== null;
  useEffect(() => {
    if (!looked || !extendable || asked.current) return;
    asked.current = true;
    mutate();
  }, [looked, extendable, mutate]);
  const look = () => setLooked(true);
  return { looked, watch: { onPointerEnter: look, onPointerMove: look, onFocus: look } };
}
