// Pages, open Alerts, and the status sentence at the foot.
import { connection } from "../api/client";
import { useAsks, useStatus } from "../api/queries";
import { useNow } from "../lib/hooks";
import type { Page } from "../lib/route";
import { useStore } from "../lib/store";
import { ago, clock } from "../lib/time";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { number, text } from "../text";
import type { Status } from "../types";

const NAV = [
  "overview",
  "alerts",
  "traffic",
  "apps",
  "signatures",
  "decisions",
  "settings",
] as const satisfies Page[];

export function Sidebar({ page }: { page: Page }) {
  const status = useStatus().data;
  const waiting = useAsks().data?.waiting.length ?? 0;
  return (
    <nav className="side" aria-label={text.nav.label}>
      <div className="brand">
        <Icon name="gate" />
        <span className="word">{text.product}</span>
      </div>
      {NAV.map((name) => (
        <Link
          key={name}
          to={{ page: name }}
          className="nav"
          hint={text.pages[name]}
          current={
            page === name ||
            (name === "overview" && page === "drill") ||
            (name === "alerts" && page === "report") ||
            (name === "apps" && page === "pins")
          }
        >
          <Icon name={name} />
          <span className="word">{text.pages[name]}</span>
          {name === "alerts" && status !== undefined && status.open_alerts > 0 && (
            <span className="n">
              <span className="long">{atMost(999, status.open_alerts)}</span>
              <span className="short">{atMost(99, status.open_alerts)}</span>
            </span>
          )}
        </Link>
      ))}
      {waiting > 0 && (
        <Link to={{ page: "ask" }} className="nav" hint={text.ask.title} current={page === "ask"}>
          <Icon name="ask" />
          <span className="word">{text.ask.title}</span>
          <span className="n ask">{number(waiting)}</span>
        </Link>
      )}
      <Foot status={status} />
      <p className="vh" role="status">
        {status !== undefined && text.alerts.count(status.open_alerts)}
      </p>
    </nav>
  );
}

const atMost = (most: number, count: number) => (count > most ? `${most}+` : number(count));

function Foot({ status }: { status: Status | undefined }) {
  const now = useNow();
  const { down } = useStore(connection);
  return (
    <div className="sidefoot">
      <b>
        <Icon name={down === null ? "gate" : "triangle"} />
        {down !== null ? text.status.unreachable : status ? shortStatus(status) : text.status.loading}
      </b>
      {status?.log_unreadable === false && (
        <span className="num">
          {status.last_message_at === null
            ? text.status.noMessage
            : text.status.lastMessage(ago(status.last_message_at, now))}
        </span>
      )}
    </div>
  );
}

function shortStatus(status: Status): string {
  const { protection, servers_seen, servers_total, servers_bypassing } = status;
  if (protection.state === "off") return text.status.shortOff;
  if (protection.state === "paused")
    return text.status.shortPaused(protection.until === null ? null : clock(protection.until));
  if (status.log_unreadable) return text.status.unknown;
  return text.status.watching(servers_seen, servers_total) + text.status.past(servers_bypassing);
}
