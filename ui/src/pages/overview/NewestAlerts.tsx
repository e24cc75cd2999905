// The five newest Alerts.
import { useAlerts, useNames, useStatus } from "../../api/queries";
import { useNow } from "../../lib/hooks";
import { shortWhen } from "../../lib/time";
import { Link } from "../../parts/Link";
import { Empty, Waiting } from "../../parts/states";
import { VerdictMark } from "../../parts/Verdict";
import { text } from "../../text";
import { AlertWords } from "../alerts/AlertWords";

export function NewestAlerts() {
  const alerts = useAlerts("all");
  const names = useNames();
  const status = useStatus().data;
  const now = useNow(30_000);
  const groups = alerts.data?.groups.slice(0, 5) ?? [];
  const shown = names.ready ? groups : [];
  return (
    <section className="card" aria-label={text.overview.newest}>
      <header>
        <h2 className="grow">{text.overview.newest}</h2>
        {groups.length > 0 && alerts.data && (
          <Link to={{ page: "alerts", search: "state=all" }} className="small">
            {text.overview.all(alerts.data.all)}
          </Link>
        )}
      </header>
      <Waiting query={names.before(alerts)} rows={3} tall />
      {alerts.data && status && groups.length === 0 && (
        <Empty title={text.alerts.empty(status.messages_today)} />
      )}
      {shown.map((group) => (
        <Link
          key={group.newest.id}
          className="al"
          to={{ page: "alerts", search: "state=all", open: group.newest.id }}
        >
          <VerdictMark verdict={group.newest.verdict} />
          <AlertWords group={group} apps={names.apps} />
          <span className="faint num small">{shortWhen(group.newest.at, now)}</span>
        </Link>
      ))}
    </section>
  );
}
