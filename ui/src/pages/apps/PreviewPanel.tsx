// The exact change, its promises, and the one button that writes it. What is written is what was shown, or nothing.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { write } from "../../api/client";
import { keys } from "../../api/queries";
import { CopyButton } from "../../exchange/CopyButton";
import { asPatch, changedLines } from "../../lib/diff";
import { useWritable } from "../../lib/hooks";
import { Button } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Failure, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { ApplyAnswer, ApplyRequest, Preview, PreviewRequest } from "../../types";
import { Applied } from "./Applied";
import type { Wanted } from "./AppsPage";
import { DiffView } from "./DiffView";

export const askPreview = (app: string, request: PreviewRequest) =>
  write<Preview>("POST", `/api/apps/${encodeURIComponent(app)}/preview`, request);
export const applyPreview = (preview: Preview) =>
  write<ApplyAnswer>("POST", `/api/apps/${encodeURIComponent(preview.app)}/apply`, {
    token: preview.token,
  } satisfies ApplyRequest);

export function PreviewPanel({ wanted, onClose }: { wanted: Wanted; onClose: () => void }) {
  const { app, server, action } = wanted;
  const client = useQueryClient();
  const writable = useWritable();
  const preview = useQuery({
    queryKey: ["preview", app.id, server, action],
    queryFn: () => askPreview(app.id, { action, servers: server === null ? null : [server] }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const apply = useMutation({
    mutationFn: applyPreview,
    onSettled: () =>
      Promise.all([keys.apps, keys.status].map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  const again = () => {
    apply.reset();
    void preview.refetch();
  };
  const files = preview.data?.files ?? [];
  const lines = files.reduce((all, file) => all + changedLines(file.diff), 0);
  const waits = files.length > 0 && files.every((file) => file.queued || file.diff.length === 0);
  return (
    <section className="card pv" aria-label={text.preview.label}>
      <header>
        <h2 className="grow" tabIndex={-1} ref={heading}>
          <Title wanted={wanted} />
        </h2>
        <Button look="quiet" small label={text.preview.close} onClick={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      <div className="pvbody">
        <Waiting query={preview} rows={4} />
        {apply.data ? (
          <Applied answer={apply.data} />
        ) : (
          preview.data && (
            <>
              <p className="small muted">{text.preview.changes(lines)}</p>
              {files.map((file) => (
                <DiffView key={file.path} file={file} />
              ))}
              {lines > 0 && <Promises action={action} />}
              {preview.data.hints.map((hint) => (
                <p key={hint} className="small muted">
                  {hint}
                </p>
              ))}
              {lines > 0 && action === "protect" && <p className="small muted">{text.preview.seenNote}</p>}
            </>
          )
        )}
        {apply.isError && <Failure error={apply.error} />}
      </div>
      <footer className="wrap">
        {apply.data ? (
          <Button onClick={onClose}>{text.preview.close}</Button>
        ) : (
          <>
            {apply.isError ? (
              <Button look="solid" onClick={again}>
                {text.preview.again}
              </Button>
            ) : (
              <Button
                look="solid"
                off={!writable || !preview.data || lines === 0 || apply.isPending}
                onClick={() => preview.data && apply.mutate(preview.data)}
              >
                {apply.isPending
                  ? text.preview.writing
                  : waits
                    ? text.preview.writeQueued
                    : text.preview.write}
              </Button>
            )}
            <Button onClick={onClose}>{text.preview.cancel}</Button>
            <span className="grow" />
            {lines > 0 && (
              <CopyButton
                label={text.preview.copyDiff}
                value={() => files.map((file) => asPatch(file.path, file.diff)).join("\n")}
              />
            )}
          </>
        )}
      </footer>
    </section>
  );
}

function Title({ wanted: { app, server, action } }: { wanted: Wanted }) {
  if (server === null)
    return action === "protect" ? text.preview.protect(app.name) : text.preview.restore(app.name);
  return (
    <>
      {action === "protect" ? text.preview.protectOne : text.preview.restoreOne} <Name value={server} />{" "}
      {text.preview.inApp(app.name)}
    </>
  );
}

function Promises({ action }: { action: Wanted["action"] }) {
  return (
    <ul className="promise">
      {text.preview.promises[action].map((promise) => (
        <li key={promise}>
          <Icon name="check" />
          <span>{promise}</span>
        </li>
      ))}
    </ul>
  );
}
