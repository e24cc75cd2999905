// The foot of an Alert: say what it was, or take that back.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { keys } from "../../api/queries";
import { useNow, useWritable } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { shortWhen } from "../../lib/time";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { ExchangeDetail, ReviewReason, ReviewRequest } from "../../types";

const REASONS = Object.keys(text.alerts.reviewAs) as ReviewReason[];

export function ReviewBar({ detail }: { detail: ExchangeDetail }) {
  const { id } = detail.exchange;
  const client = useQueryClient();
  const writable = useWritable();
  const now = useNow(60_000);
  const review = useMutation({
    mutationFn: (reason: ReviewReason | null) =>
      write("POST", `/api/alerts/${encodeURIComponent(id)}/review`, { reason } satisfies ReviewRequest),
    onSettled: () =>
      Promise.all(
        [keys.exchange(id), ["alerts"], keys.status].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
  const off = !writable || review.isPending;
  // `r` moves to the reasons; choosing one is the person's own act.
  useKeys({ r: () => document.querySelector<HTMLElement>(".review button")?.focus() });
  return (
    <div className="foot wrap">
      {detail.review ? (
        <>
          <span className="small muted row">
            <Icon name="check" />
            {text.alerts.reviewed(
              text.alerts.reviewAs[detail.review.reason],
              shortWhen(detail.review.at, now),
            )}
          </span>
          <Button small off={off} onClick={() => review.mutate(null)}>
            {text.alerts.takeBack}
          </Button>
        </>
      ) : (
        <div className="row wrap review" role="group" aria-label={text.alerts.review}>
          <span className="small muted">{text.alerts.review}</span>
          {REASONS.map((reason) => (
            <Button key={reason} small off={off} onClick={() => review.mutate(reason)}>
              {text.alerts.reviewAs[reason]}
            </Button>
          ))}
        </div>
      )}
      {review.isError && <Failure error={review.error} />}
    </div>
  );
}
