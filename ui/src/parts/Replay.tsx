// What a change would have done to the kept history: one sentence, and the list behind it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { write } from "../api/client";
import { Route } from "../exchange/Head";
import { useAfter, useNow } from "../lib/hooks";
import { shortWhen } from "../lib/time";
import { text } from "../text";
import type { Replay, ReplayChange, ReplayRequest } from "../types";
import { Link } from "./Link";
import { Failure } from "./states";

const t = text.replay;
const DAYS = 30;

export function ReplayLine({ change }: { change: ReplayChange }) {
  const replay = useQuery({
    queryKey: ["replay", change],
    queryFn: () => write<Replay>("POST", "/api/replay", { days: DAYS, change } satisfies ReplayRequest),
    staleTime: 60_000,
    retry: false,
  });
  const slow = useAfter();
  const [open, setOpen] = useState(false);
  if (replay.isError) return <Failure error={replay.error} retry={() => void replay.refetch()} />;
  if (!replay.data) return slow ? <p className="small muted">{t.looking}</p> : null;
  const { data } = replay;
  return (
    <div className="replay small">
      <p role="status">
        {sentence(data)}{" "}
        {data.rows.length > 0 && (
          <button type="button" className="linklike" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t.hide : t.list}
          </button>
        )}
      </p>
      <p className="tiny faint">
        {t.looked(data.looked_at, data.days)} {data.not_covered > 0 && t.notCovered(data.not_covered)}
      </p>
      {open && <Rows replay={data} />}
    </div>
  );
}

function sentence(data: Replay): string {
  const parts = [
    data.newly_blocked > 0 && t.blocked(data.newly_blocked, data.newly_blocked_approved),
    data.newly_asked > 0 && t.askedAbout(data.newly_asked),
    data.newly_allowed > 0 && t.allowed(data.newly_allowed, data.newly_allowed_approved),
  ].filter(Boolean);
  return parts.length === 0 ? t.nothing(data.days) : parts.join(" ");
}

function Rows({ replay }: { replay: Replay }) {
  const now = useNow(60_000);
  return (
    <ol className="trail">
      {replay.rows.map(({ row, then, now: after, approved }) => (
        <li key={row.id}>
          <Link className="plain grow ell" to={{ page: "traffic", open: row.id }}>
            <Route row={row} apps={undefined} />
          </Link>
          <span className="faint">
            {t.change(text.verdict[then], text.verdict[after])}
            {approved && `, ${t.approved}`}
          </span>
          <span className="num faint when">{shortWhen(row.at, now)}</span>
        </li>
      ))}
    </ol>
  );
}
