// The foot of an Alert: say what it was, or take that back.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { write } from "../../api/client";
import { keys } from "../../api/queries";
import { decidable } from "../../lib/decidable";
import { useKeepFocus } from "../../lib/focus";
import { useNow, useWritable } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { navigate } from "../../lib/route";
import { shortWhen } from "../../lib/time";
import { Button, ButtonLink } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { ExchangeDetail, ReviewReason, ReviewRequest } from "../../types";
import { ExceptionDialog } from "./Exception";

const REASONS = Object.keys(text.alerts.reviewAs) as ReviewReason[];

export function ReviewBar({ detail }: { detail: ExchangeDetail }) {
  const { id } = detail.exchange;
  const client = useQueryClient();
  const writable = useWritable();
  const now = useNow(60_000);
  const [deciding, setDeciding] = useState<"allow" | "deny" | null>(null);
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
  const { exchange } = detail;
  const report = { page: "report", open: id } as const;
  const can = decidable(exchange);
  useKeys({ e: can.allow ? () => setDeciding("allow") : undefined, p: () => navigate(report) });
  const keepFocus = useKeepFocus(".review button, .reviewed button");
  return (
    <div className="foot wrap" {...keepFocus}>
      <div className="row wrap">
        {can.allow && (
          <Button small off={!writable} onClick={() => setDeciding("allow")}>
            {text.exception.allow}
          </Button>
        )}
        {can.deny && (
          <Button small off={!writable} onClick={() => setDeciding("deny")}>
            {text.exception.deny}
          </Button>
        )}
        <ButtonLink small look="quiet" to={report}>
          {text.report.open}
        </ButtonLink>
      </div>
      {deciding && (
        <ExceptionDialog exchange={exchange} effect={deciding} onClose={() => setDeciding(null)} />
      )}
      {detail.review ? (
        <div className="row wrap reviewed">
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
        </div>
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
