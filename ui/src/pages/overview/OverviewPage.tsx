// The first page: the status as one sentence, servers as observed, the last day, the newest Alerts.
import { useApps, useStatus } from "../../api/queries";
import { serversOf } from "../../lib/apps";
import { useFocusKeys } from "../../lib/focus";
import { clock } from "../../lib/time";
import { Link } from "../../parts/Link";
import { Waiting } from "../../parts/states";
import { text } from "../../text";
import type { App, Observed, Status } from "../../types";
import { DrillButton, PauseButton } from "./actions";
import { Budget } from "./Budget";
import { DayChart } from "./DayChart";
import { FirstSteps } from "./FirstSteps";
import { NewestAlerts } from "./NewestAlerts";
import { ServersTable } from "./ServersTable";

export function OverviewPage() {
  const status = useStatus();
  const apps = useApps();
  const box = useFocusKeys<HTMLDivElement>("tbody a, a.al");
  const nothingYet =
    status.data?.log_unreadable === false &&
    status.data.last_message_at === null &&
    status.data.messages_today === 0;
  return (
    <>
      <header className="top">
        <div className="status grow">
          <h1 className="big">{status.data ? sentence(status.data) : text.pages.overview}</h1>
          <p className="muted">{status.data && <More status={status.data} apps={apps.data} />}</p>
        </div>
        {!nothingYet && <DrillButton />}
        <PauseButton status={status.data} />
      </header>
      <div className="page" ref={box}>
        <Waiting query={status} rows={1} />
        {nothingYet && <FirstSteps apps={apps.data} />}
        <div className="two">
          <ServersTable />
          <DayChart />
        </div>
        {!nothingYet && (
          <>
            <NewestAlerts />
            <Budget />
          </>
        )}
      </div>
    </>
  );
}

function sentence(status: Status): string {
  const { protection } = status;
  if (protection.state === "paused")
    return text.status.paused(protection.until === null ? null : clock(protection.until));
  if (status.servers_total === 0) return text.status.none;
  if (protection.state === "off") return text.status.off;
  if (status.log_unreadable) return text.status.unreadable;
  return (
    text.status.seen(status.servers_seen, status.servers_total) + text.status.past(status.servers_bypassing)
  );
}

/** What the other servers wait for, counted by observed state. */
function More({ status, apps }: { status: Status; apps: App[] | undefined }) {
  const count = (state: Observed["state"]) =>
    (apps ?? []).flatMap(serversOf).filter((s) => s.observed.state === state).length;
  const parts = [
    status.log_unreadable && text.status.unreadableMore,
    status.protection.state === "off" && text.status.offMore,
    count("bypassing") > 0 && text.status.bypassing(count("bypassing")),
    count("waiting") > 0 && text.status.restart(count("waiting")),
    // With none seen the headline says it.
    !status.log_unreadable &&
      status.servers_seen > 0 &&
      count("not_yet_seen") > 0 &&
      text.status.waits(count("not_yet_seen")),
    count("queued") > 0 && text.status.queued(count("queued")),
    count("edited_outside") > 0 && text.status.edited(count("edited_outside")),
    count("failing") > 0 && text.status.failing(count("failing")),
    count("quarantined") > 0 && text.status.quarantined(count("quarantined")),
    status.protection.state !== "off" &&
      count("not_covered") > 0 &&
      text.status.notCovered(count("not_covered")),
  ].filter(Boolean);
  return (
    <>
      {parts.join(" ")} <Link to={{ page: "apps" }}>{text.status.seeApps}</Link>
    </>
  );
}
