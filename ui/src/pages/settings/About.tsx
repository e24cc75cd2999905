// Version, data folder, addresses; and letting this browser go.
import { setToken } from "../../api/client";
import { useStatus } from "../../api/queries";
import { useNow } from "../../lib/hooks";
import { ago, fullWhen } from "../../lib/time";
import { Button } from "../../parts/controls";
import { Link } from "../../parts/Link";
import { text } from "../../text";
import { Group } from "./Group";

export function About() {
  const status = useStatus().data;
  const now = useNow(30_000);
  const t = text.settings;
  return (
    <Group title={t.groups.about}>
      {status && (
        <dl className="kv about">
          <dt>{t.version}</dt>
          <dd>
            {text.product} {status.version}, {status.platform}
          </dd>
          <dt>{t.home}</dt>
          <dd className="mono">{status.home}</dd>
          <dt>{t.proxy}</dt>
          <dd className="mono">{status.proxy_address}</dd>
          <dt>{t.dashboard}</dt>
          <dd className="mono">{status.dashboard_address}</dd>
          <dt>{t.started}</dt>
          <dd title={fullWhen(status.started_at)}>{ago(status.started_at, now)}</dd>
          <dt>{t.signatures}</dt>
          <dd className="num">{status.signatures_active}</dd>
        </dl>
      )}
      <div className="setline small">
        <span>
          {t.doctor} <code>{t.doctorCommand}</code>
        </span>
      </div>
      <div className="setline">
        <Link to={{ page: "welcome" }}>{t.firstRun}</Link>
      </div>
      <div className="setline">
        <span className="grow small faint">{t.forgetMore}</span>
        <Button small onClick={() => setToken(null)}>
          {t.forget}
        </Button>
      </div>
    </Group>
  );
}
