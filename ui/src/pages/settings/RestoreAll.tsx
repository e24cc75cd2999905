// Puts every config back: one preview of all files, then one button.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys, useApps } from "../../api/queries";
import { isProtected } from "../../lib/apps";
import { changedLines } from "../../lib/diff";
import { useWritable } from "../../lib/hooks";
import { Button } from "../../parts/controls";
import { Dialog } from "../../parts/Dialog";
import { Failure, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { App, ApplyAnswer, Preview } from "../../types";
import { Applied } from "../apps/Applied";
import { DiffView } from "../apps/DiffView";
import { applyPreview, askPreview } from "../apps/PreviewPanel";
import { Group } from "./Group";

export function RestoreAll() {
  const apps = useApps().data ?? [];
  const writable = useWritable();
  const [open, setOpen] = useState(false);
  const changed = apps.filter(isProtected);
  return (
    <Group title={text.settings.groups.configs}>
      <div className="setline">
        <p className="grow small muted">
          {changed.length === 0 ? text.settings.restoreNone : text.settings.restoreMore}{" "}
          {changed.length > 0 && <code className="nowrap">{text.settings.restoreCommand}</code>}
        </p>
        <Button off={!writable || changed.length === 0} onClick={() => setOpen(true)}>
          {text.settings.restoreAll}
        </Button>
      </div>
      {open && <RestoreDialog apps={changed} onClose={() => setOpen(false)} />}
    </Group>
  );
}

function RestoreDialog({ apps, onClose }: { apps: App[]; onClose: () => void }) {
  const client = useQueryClient();
  const [asked] = useState(apps);
  const previews = useQuery({
    queryKey: ["preview", "all", asked.map((app) => app.id)],
    queryFn: () => Promise.all(asked.map((app) => askPreview(app.id, { action: "restore", servers: null }))),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const apply = useMutation({
    mutationFn: writeAll,
    onSettled: () =>
      Promise.all([keys.apps, keys.status].map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
  const files = previews.data?.flatMap((preview) => preview.files) ?? [];
  const lines = files.reduce((all, file) => all + changedLines(file.diff), 0);
  return (
    <Dialog title={text.settings.restoreAll} onClose={onClose} wide>
      <Waiting query={previews} rows={4} />
      {apply.data ? (
        <Applied answer={apply.data} />
      ) : (
        <>
          {previews.data && <p className="small muted">{text.preview.changes(lines)}</p>}
          {files.map((file) => (
            <DiffView key={file.path} file={file} />
          ))}
        </>
      )}
      {apply.isError && (
        <Failure error={apply.error} retry={() => void previews.refetch().then(apply.reset)} />
      )}
      <div className="row">
        {!apply.data && (
          <Button
            look="solid"
            off={!previews.data || lines === 0 || apply.isPending || apply.isError}
            onClick={() => previews.data && apply.mutate(previews.data)}
          >
            {apply.isPending ? text.preview.writing : text.preview.write}
          </Button>
        )}
        <Button onClick={onClose}>{apply.data ? text.preview.close : text.preview.cancel}</Button>
      </div>
    </Dialog>
  );
}

/** One app after the other: when one is refused, those before it are written and the error says which was not. */
async function writeAll(previews: Preview[]): Promise<ApplyAnswer> {
  const all: ApplyAnswer = { written: [], queued: [], hints: [] };
  for (const preview of previews) {
    const answer = await applyPreview(preview);
    all.written.push(...answer.written);
    all.queued.push(...answer.queued);
    all.hints.push(...answer.hints);
  }
  return all;
}
