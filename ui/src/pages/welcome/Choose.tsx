// Which apps, and the whole diff of each: previews are asked for at once, written only by the button below.
import { useMutation, useQueries, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys, useApps } from "../../api/queries";
import { hasServers, serversOf } from "../../lib/apps";
import { changedLines } from "../../lib/diff";
import { useWritable } from "../../lib/hooks";
import { AppLetter } from "../../parts/AppBadge";
import { Button } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Empty, Failure, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { App, Preview } from "../../types";
import { DiffView } from "../apps/DiffView";
import { applyPreview, askPreview } from "../apps/PreviewPanel";

const t = text.welcome;
const linesOf = (preview: Preview) => preview.files.reduce((all, file) => all + changedLines(file.diff), 0);

export function Choose({
  onBack,
  onDone,
  onLeave,
}: {
  onBack: () => void;
  onDone: () => void;
  onLeave: () => void;
}) {
  const apps = useApps();
  const client = useQueryClient();
  const writable = useWritable();
  const [left, setLeft] = useState<string[]>([]);
  const found = (apps.data ?? []).filter(hasServers);
  const open = found.filter((app) => app.protected !== true);
  const previews = useQueries({
    queries: open.map((app) => ({
      queryKey: ["preview", app.id, null, "protect"],
      queryFn: () => askPreview(app.id, { action: "protect" as const, servers: null }),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 0,
      refetchOnWindowFocus: false,
    })),
  });
  const chosen = open.flatMap((app, i) => {
    const preview = previews[i]?.data;
    return preview && linesOf(preview) > 0 && !left.includes(app.id) ? [preview] : [];
  });
  const protect = useMutation({
    mutationFn: async () => {
      // One after another: the first that fails is named, and what was written before it stays written.
      for (const preview of chosen) await applyPreview(preview);
    },
    onSettled: () =>
      Promise.all([keys.apps, keys.status].map((queryKey) => client.invalidateQueries({ queryKey }))),
    onSuccess: onDone,
  });
  const lines = chosen.reduce((all, preview) => all + linesOf(preview), 0);
  const again = () => {
    protect.reset();
    for (const preview of previews) void preview.refetch();
  };
  return (
    <>
      <div className="stepmain">
        <h1 tabIndex={-1}>{t.choose.title(found.length)}</h1>
        <p className="muted">{t.choose.lead(found.flatMap(serversOf).length, open.length, found.length)}</p>
        <Waiting query={apps} rows={4} tall />
        {apps.data && found.length === 0 && (
          <Empty title={text.apps.none}>
            <p className="muted small">{text.apps.noneMore}</p>
          </Empty>
        )}
        <ul className="card picks">
          {found.map((app) => (
            <Pick
              key={app.id}
              app={app}
              preview={previews[open.indexOf(app)]}
              on={!left.includes(app.id)}
              onChange={() =>
                setLeft(left.includes(app.id) ? left.filter((id) => id !== app.id) : [...left, app.id])
              }
            />
          ))}
        </ul>
        {protect.isError && <Failure error={protect.error} retry={again} />}
        <p className="small muted prose">
          <b>{t.choose.back}</b> {t.choose.backMore} <code>{text.settings.restoreCommand}</code>
        </p>
      </div>
      <footer className="stepfoot">
        <Button onClick={onBack}>
          <Icon name="back" />
          {text.ask.back}
        </Button>
        <Button look="quiet" onClick={onLeave}>
          {t.notNow}
        </Button>
        <span className="grow" />
        {open.length === 0 && apps.data ? (
          <Button look="solid" onClick={onDone}>
            {t.next}
          </Button>
        ) : (
          <>
            <span className="small muted num">
              {chosen.length > 0 && t.choose.count(lines, chosen.length)}
            </span>
            <Button
              look="solid"
              off={!writable || chosen.length === 0 || protect.isPending}
              onClick={() => protect.mutate()}
            >
              {protect.isPending ? text.preview.writing : t.choose.protect(chosen.length)}
            </Button>
          </>
        )}
      </footer>
    </>
  );
}

type Asked = {
  data: Preview | undefined;
  isError: boolean;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
};
type PickProps = { app: App; preview: Asked | undefined; on: boolean; onChange: () => void };

function Pick({ app, preview, on, onChange }: PickProps) {
  const [open, setOpen] = useState(false);
  const servers = serversOf(app);
  const lines = preview?.data ? linesOf(preview.data) : 0;
  return (
    <li>
      <div className="pick">
        <input
          type="checkbox"
          checked={on && (app.protected === true || lines > 0)}
          disabled={app.protected === true || lines === 0}
          onChange={onChange}
          aria-label={text.apps.protectApp(app.name)}
        />
        <AppLetter name={app.name} />
        <div className="grow">
          <b>{app.name}</b>
          <p className="small muted">
            {servers.map((server, i) => (
              <span key={server.name}>
                {i > 0 && ", "}
                <Name value={server.name} limit={24} />
              </span>
            ))}
            {" · "}
            {app.protected === true ? t.choose.on : t.choose.lines(lines)}
          </p>
        </div>
        {lines > 0 && (
          <Button small look="quiet" onClick={() => setOpen(!open)}>
            {open ? t.choose.hide : t.choose.show}
            <Icon name={open ? "down" : "right"} />
          </Button>
        )}
      </div>
      {preview?.isError && <Failure error={preview.error} retry={() => void preview.refetch()} />}
      {open && preview?.data && (
        <div className="pickdiff">
          {preview.data.files.map((file) => (
            <DiffView key={file.path} file={file} />
          ))}
          {preview.data.hints.map((hint) => (
            <p key={hint} className="small muted">
              {hint}
            </p>
          ))}
        </div>
      )}
    </li>
  );
}
