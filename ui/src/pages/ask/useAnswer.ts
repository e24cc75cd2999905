// Sends one answer. Nothing is sent in the first moments after the view changed: a click that was meant for what stood
// there before must not decide anything.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { write } from "../../api/client";
import { keys } from "../../api/queries";
import type { Ask, AskAnswer, AskAnswered, AskAnswerRequest } from "../../types";

export const GUARD_MS = 700;

/** False for a moment after every change of `view`. */
export function useArmed(view: string): boolean {
  const [armed, setArmed] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setArmed(view), GUARD_MS);
    return () => clearTimeout(timer);
  }, [view]);
  return armed === view;
}

export const sendAnswer = (ask: Ask, answer: AskAnswer, acknowledged: boolean) =>
  write<AskAnswered>("POST", `/api/asks/${encodeURIComponent(ask.id)}/answer`, {
    answer,
    acknowledged,
  } satisfies AskAnswerRequest);

/** `onDecided`: the answer reached a call that still waited. */
export function useAnswer(ask: Ask, onDecided?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ answer, acknowledged = false }: { answer: AskAnswer; acknowledged?: boolean }) =>
      sendAnswer(ask, answer, acknowledged),
    onSuccess: (answered) => {
      if (!answered.late) onDecided?.();
    },
    onSettled: () =>
      Promise.all(
        [keys.asks, ["decisions"], keys.status].map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
}
