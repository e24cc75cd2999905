// One app: its switch, its config files, its servers.
import { useStatus } from "../../api/queries";
import { serversOf } from "../../lib/apps";
import { useWritable } from "../../lib/hooks";
import { AppLetter } from "../../parts/AppBadge";
import { Toggle } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { text } from "../../text";
import type { App, AppFile } from "../../types";
import type { Wanted } from "./AppsPage";
import { ModeSelect } from "./ModeSelect";
import { ServerRow } from "./ServerRow";

type Props = { app: App; wanted: Wanted | null; onWant: (wanted: Wanted) => void };

export function AppCard({ app, wanted, onWant }: Props) {
  const writable = useWritable();
  const known = useStatus().data?.log_unreadable !== true;
  const servers = serversOf(app);
  const seen = servers.filter((server) => server.observed.state === "seen").length;
  const label = app.protected === null ? text.apps.partly(app.name) : text.apps.protectApp(app.name);
  return (
    <section className="card appcard" aria-label={app.name}>
      <div className="ah">
        <Toggle
          on={app.protected}
          label={label}
          off={!writable || servers.length === 0}
          onChange={() =>
            onWant({ app, server: null, action: app.protected === true ? "restore" : "protect" })
          }
        />
        <AppLetter name={app.name} />
        <div className="grow">
          <h2 className="appname">{app.name}</h2>
          {app.files.length === 1 && app.files[0] && <FilePath file={app.files[0]} />}
        </div>
        {servers.length > 0 && known && (
          <span className="small muted num nowrap">{text.apps.seen(seen, servers.length)}</span>
        )}
        {app.protected !== false && servers.length > 0 && (
          <ModeSelect of={{ app: app.id, upstream: null }} name={app.name} />
        )}
      </div>
      {app.hint !== null && (
        <p className="apphint small">
          <Icon name="clock" />
          {app.hint}
        </p>
      )}
      {app.not_covered && (
        <p className="apphint small">
          <Icon name="crossed" />
          <span>
            <b>{text.apps.cannot}</b> {app.not_covered}
          </span>
        </p>
      )}
      {(app.also_read_by ?? []).length > 0 && (
        <p className="apphint small">
          <Icon name="apps" />
          {text.apps.alsoRead(app.also_read_by ?? [])}
        </p>
      )}
      {app.files.map((file) => (
        <FileServers key={file.path} app={app} file={file} wanted={wanted} onWant={onWant} />
      ))}
      <ElsewhereList app={app} />
    </section>
  );
}

/** Servers that an app has from extensions, plugins or managed files: found, and not carried. */
function ElsewhereList({ app }: { app: App }) {
  const all = app.elsewhere ?? [];
  if (all.length === 0) return null;
  return (
    <details className="elsewhere small">
      <summary>
        {text.apps.elsewhere} <span className="faint num">{all.length}</span>
      </summary>
      <ul>
        {all.map((one) => (
          <li key={one.path + one.what}>
            <b>
              <Name value={one.what} />
            </b>{" "}
            <span className="muted">
              {one.reason} {one.instead}
            </span>
            <div className="tiny faint mono">
              <Name value={one.path} full />
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}

function FilePath({ file }: { file: AppFile }) {
  return (
    <div className="p mono">
      <Name value={file.path} full />
    </div>
  );
}

function FileServers({ app, file, wanted, onWant }: Props & { file: AppFile }) {
  return (
    <>
      {app.files.length > 1 && (
        <div className="fileline">
          <FilePath file={file} />
          {file.project && <span className="chip">{text.apps.project}</span>}
        </div>
      )}
      {file.problem !== null && (
        <p className="apphint small" role="alert">
          <Icon name="triangle" />
          <span>{file.problem}</span>
        </p>
      )}
      {file.warning && (
        <p className="apphint small">
          <Icon name="triangle" />
          <span>{file.warning}</span>
        </p>
      )}
      {file.queued && (
        <p className="apphint small">
          <Icon name="clock" />
          {text.apps.queued}
        </p>
      )}
      {file.servers.length === 0 && file.problem === null && (
        <p className="apphint small faint">{file.exists ? text.apps.noServers : text.apps.noFile}</p>
      )}
      {file.servers.map((server) => (
        <ServerRow
          key={server.name}
          app={app}
          server={server}
          open={wanted !== null && (wanted.server === null || wanted.server === server.name)}
          onWant={onWant}
        />
      ))}
    </>
  );
}
