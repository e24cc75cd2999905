// One server of an app: switch, name, Transport, what was observed, what it really runs.

import { useStatus } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { plainName } from "../../lib/reveal";
import { ObservedMark } from "../../parts/AppBadge";
import { Toggle } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Link } from "../../parts/Link";
import { text } from "../../text";
import type { App, Server } from "../../types";
import type { Wanted } from "./AppsPage";
import { FailingHelp } from "./FailingHelp";
import { ModeSelect } from "./ModeSelect";
import { OwnSignIn } from "./OwnSignIn";
import { QuarantineButton } from "./QuarantineButton";

/** Labels: the programs above the shim, and what the client calls itself. */
function UsedBy({ server }: { server: Server }) {
  return (server.used_by ?? []).map((user, n) => (
    <span key={`${user.name}/${user.client}`}>
      {n > 0 && ", "}
      <Name value={user.name} />
      {user.client !== null && user.client !== user.name && (
        <>
          {" ("}
          <Name value={user.client} />)
        </>
      )}
    </span>
  ));
}

type Props = { app: App; server: Server; open: boolean; onWant: (wanted: Wanted) => void };

export function ServerRow({ app, server, open, onWant }: Props) {
  const writable = useWritable();
  const { observed } = server;
  const known = useStatus().data?.log_unreadable !== true;
  const want = (action: Wanted["action"]) => onWant({ app, server: server.name, action });
  return (
    <div className={`sv ${open ? "sel" : ""}`}>
      <Toggle
        on={server.protected}
        label={text.apps.protectServer(plainName(server.name), app.name)}
        off={!writable}
        onChange={() => want(server.protected ? "restore" : "protect")}
      />
      <div className="ell">
        <b className="mono">
          <Name value={server.name} />
        </b>{" "}
        <span className="chip">{text.transport[server.transport]}</span>
        {server.id !== null && server.pins.pinned > 0 && (
          <Link
            className="small pinlink"
            to={{ page: "pins", search: new URLSearchParams({ upstream: server.id }).toString() }}
          >
            {text.pins.link(server.pins.pinned, server.pins.changed)}
          </Link>
        )}
      </div>
      <span className="small muted nowrap side2 num">
        {open
          ? text.apps.previewOpen
          : server.protected && known && text.observed.messages(server.messages_24h)}{" "}
        {server.id !== null && server.protected && (
          <ModeSelect of={{ app: app.id, upstream: server.id }} name={server.name} />
        )}
      </span>
      <div className="o">
        <ObservedMark observed={observed} long />{" "}
        {server.id !== null && server.protected && observed.state !== "edited_outside" && (
          <QuarantineButton
            upstream={server.id}
            inside={observed.state === "quarantined"}
            name={server.name}
          />
        )}
        {observed.state === "edited_outside" && (
          <button
            type="button"
            className="linklike small"
            aria-label={text.labelOf(text.observed.compare, plainName(server.name))}
            onClick={() => want("protect")}
          >
            {text.observed.compare}
          </button>
        )}
      </div>
      <FailingHelp app={app} server={server} />
      {server.id !== null && server.protected && server.transport !== "stdio" && (
        <OwnSignIn upstream={server.id} app={app.name} name={server.name} />
      )}
      {(server.used_by ?? []).length > 0 && (
        <div className="o small muted">
          {text.apps.usedBy} <UsedBy server={server} />
        </div>
      )}
      <div className="orig mono tiny faint">
        <Name value={server.original} full />
      </div>
    </div>
  );
}
