// The head of an Exchange: Verdict, Outcome, time, what was found, who talked to whom.
import { useApps } from "../api/queries";
import { useNarrow } from "../lib/hooks";
import { strongestFirst } from "../lib/session";
import { clockExact, fullWhen, ms, rowWhen } from "../lib/time";
import { appName } from "../parts/AppBadge";
import { Button } from "../parts/controls";
import { Name } from "../parts/Hostile";
import { Icon } from "../parts/Icon";
import { Prose } from "../parts/Prose";
import { VerdictMark } from "../parts/Verdict";
import { text } from "../text";
import type { App, Exchange, ExchangeRow } from "../types";

/** `Cursor → docs / get_page`: the app's name first, never the server's. */
export function Route(props: { row: ExchangeRow | Exchange; apps: App[] | undefined; full?: boolean }) {
  const { row, apps, full = false } = props;
  const what = row.target ?? row.method;
  return (
    <>
      {appName(apps, row.app)} {text.detail.arrow} <Name value={row.upstream_name} full={full} />
      {what !== "" && (
        <>
          {" / "}
          <Name value={what} full={full} />
        </>
      )}
    </>
  );
}

/** Why something went on that its Verdict would have stopped. */
export const throughWords = ({ verdict, outcome }: Exchange): string | null =>
  outcome === "forwarded" && (verdict === "block" || verdict === "ask") ? text.detail.through[verdict] : null;

export function Head({ exchange, onClose }: { exchange: Exchange; onClose: () => void }) {
  const apps = useApps().data;
  const narrow = useNarrow();
  const strongest = strongestFirst(exchange.findings)[0];
  const through = throughWords(exchange);
  const response = exchange.findings.some((finding) => finding.json_path.startsWith("/result"));
  return (
    <div className="hd">
      <div className="row spread">
        <div className="row">
          {narrow && (
            <Button look="quiet" small label={text.nav.back} onClick={onClose}>
              <Icon name="back" />
            </Button>
          )}
          <VerdictMark verdict={exchange.verdict} pill />
          <span className="chip">{text.outcome[exchange.outcome]}</span>
        </div>
        <span className="row">
          <time
            className="faint small num"
            title={fullWhen(exchange.at)}
            dateTime={new Date(exchange.at).toISOString()}
          >
            {rowWhen(exchange.at, Date.now()).includes(" ") ? fullWhen(exchange.at) : clockExact(exchange.at)}
          </time>
          {!narrow && (
            <Button look="quiet" small label={text.detail.close} onClick={onClose}>
              <Icon name="close" />
            </Button>
          )}
        </span>
      </div>
      <h2 tabIndex={-1}>
        {strongest ? (
          <Prose words={strongest.title} />
        ) : (
          <>
            {appName(apps, exchange.app)}: <Name value={exchange.target ?? exchange.method} full />
          </>
        )}
      </h2>
      <p className="small muted route">
        <Route row={exchange} apps={apps} full />
        {" · "}
        {facts(exchange)}
      </p>
      {exchange.outcome === "rejected" && (
        <p className="small">{response ? text.detail.withheld : text.detail.neverSent}</p>
      )}
      {through !== null && <p className="small">{through}</p>}
      {exchange.error !== null && (
        <p className="small">
          {exchange.outcome === "rejected" ? text.detail.reason : text.detail.error}{" "}
          <Name value={exchange.error} full />
        </p>
      )}
    </div>
  );
}

function facts(exchange: Exchange): string {
  return [
    exchange.target === null ? null : exchange.method,
    text.transport[exchange.transport],
    exchange.direction === "to_client" ? text.traffic.byServer : null,
    exchange.notification ? text.traffic.notification : null,
    text.detail.session(exchange.session.slice(-6)),
    exchange.duration_us === null
      ? null
      : text.detail.took(ms(exchange.duration_us), ms(exchange.checked_us)),
    exchange.judged_locally ? text.detail.local : null,
  ]
    .filter((part) => part !== null && part !== "")
    .join(" · ");
}
