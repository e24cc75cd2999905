// Every server of every app, with what was observed of it.
import { useApps, useStatus } from "../../api/queries";
import { serversOf } from "../../lib/apps";
import { toSearch } from "../../lib/filter";
import { AppLetter, ObservedMark } from "../../parts/AppBadge";
import { Name } from "../../parts/Hostile";
import { Link } from "../../parts/Link";
import { Empty, Waiting } from "../../parts/states";
import { number, text } from "../../text";
import type { App, Server } from "../../types";

/** Two lines of a narrow column, both ends in sight. */
const NAME_CHARS = 28;

export function ServersTable() {
  const apps = useApps();
  const rows = (apps.data ?? []).flatMap((app) =>
    serversOf(app).map((server, i) => ({ app, server, first: i === 0 })),
  );
  const { columns } = text.overview;
  return (
    <section className="card servers" aria-label={text.overview.servers}>
      <header>
        <h2 className="grow">{text.overview.servers}</h2>
        <span className="small faint">{text.overview.serversNote}</span>
      </header>
      <Waiting query={apps} rows={4} />
      {apps.data && rows.length === 0 && <Empty title={text.overview.noServers} />}
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>{columns.app}</th>
              <th>{columns.server}</th>
              <th className="right">{columns.day}</th>
              <th>{columns.observed}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={`${row.app.id}/${row.server.id ?? row.server.name}`} {...row} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Row({ app, server, first }: { app: App; server: Server; first: boolean }) {
  const unreadable = useStatus().data?.log_unreadable === true;
  const counted = server.protected && !unreadable;
  return (
    <tr>
      <td>
        {first ? (
          <span className="wi">
            <AppLetter name={app.name} />
            {app.name}
          </span>
        ) : (
          <span className="vh">{app.name}</span>
        )}
      </td>
      <td className="servername">
        {server.id ? (
          <Link className="plain" to={{ page: "traffic", search: toSearch({ upstream: server.id }) }}>
            <Name value={server.name} limit={NAME_CHARS} />
          </Link>
        ) : (
          <Name value={server.name} limit={NAME_CHARS} />
        )}
      </td>
      <td className={`num right ${counted ? "" : "faint"}`}>
        {counted ? number(server.messages_24h) : text.drill.none}
      </td>
      <td className="observed">
        <ObservedMark observed={server.observed} />
      </td>
    </tr>
  );
}
