// One definition: why it is held, what is new in it, the difference, and the acts. An act names the digest of what is on
// the screen, so that a definition which changes meanwhile is never approved unseen.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { keys, usePin } from "../../api/queries";
import { useNarrow, useNow, useWritable } from "../../lib/hooks";
import { onWhen } from "../../lib/time";
import { Button } from "../../parts/controls";
import { Block, Name, Revealed } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Failure, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { PinDetail as Detail, DiffLine, PinAnswer, PinRequest } from "../../types";

const t = text.pins;
type Act = "approve" | "release" | "quarantine";

export function PinDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const pin = usePin(id);
  const narrow = useNarrow();
  return (
    <aside className="det" aria-label={t.detail}>
      <Waiting query={pin} rows={5} />
      {pin.data && (
        <>
          <div className="hd">
            <div className="row spread">
              <span className="chip">{t.kind[pin.data.pin.kind]}</span>
              <Button look="quiet" small label={narrow ? text.nav.back : text.detail.close} onClick={onClose}>
                <Icon name={narrow ? "back" : "close"} />
              </Button>
            </div>
            <h2 tabIndex={-1}>
              <Name value={pin.data.pin.name} full />
            </h2>
          </div>
          <Facts detail={pin.data} />
          <Acts detail={pin.data} />
        </>
      )}
    </aside>
  );
}

function Facts({ detail }: { detail: Detail }) {
  const { pin } = detail;
  const now = useNow(60_000);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <div className="body ruled" tabIndex={0} role="region" aria-label={t.detail}>
      {pin.quarantine !== null && (
        <p className="row">
          <Icon name="block" />
          <b>{t.quarantine[pin.quarantine]}</b>
        </p>
      )}
      <p className="small muted">
        {t.approvedBy[pin.approved_by](onWhen(pin.approved_at, now))}{" "}
        {pin.drift === null ? t.same : t.grade[pin.drift.grade]}
      </p>
      {pin.drift !== null && pin.drift.reasons.length > 0 && (
        <section>
          <h3>{t.reasons}</h3>
          <ul className="bullets small">
            {pin.drift.reasons.map((reason) => (
              <li key={`${reason.cause}${reason.json_path}${reason.text}`}>
                <b>{t.cause[reason.cause]}.</b>{" "}
                <bdi>
                  <Revealed value={reason.text} />
                </bdi>
              </li>
            ))}
          </ul>
        </section>
      )}
      {detail.diff.length > 0 && (
        <section>
          <h3>{t.changes}</h3>
          <Diff lines={detail.diff} />
        </section>
      )}
      <section>
        <h3>{t.approvedText}</h3>
        <Block value={detail.approved_text} />
      </section>
    </div>
  );
}

const CLASS = { same: undefined, removed: "d", added: "a" } as const;

function Diff({ lines }: { lines: DiffLine[] }) {
  return (
    <div className="diff" dir="ltr">
      {lines.map((line) => (
        <div key={`${line.tag}${line.old_line}-${line.new_line}`} className={CLASS[line.tag]}>
          {line.tag !== "same" && <span className="vh">{line.tag} </span>}
          <Revealed value={line.text} />
        </div>
      ))}
    </div>
  );
}

function Acts({ detail: { pin } }: { detail: Detail }) {
  const client = useQueryClient();
  const writable = useWritable();
  const act = useMutation({
    mutationFn: ({ what, digest }: { what: Act; digest: string }) =>
      write<PinAnswer>("POST", `/api/pins/${what}`, { pins: [{ id: pin.id, digest }] } satisfies PinRequest),
    onSettled: () =>
      Promise.all(
        [["pins"], keys.apps, keys.status].map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
  const off = !writable || act.isPending;
  const refused = act.data?.refused[0];
  const waits = pin.changed !== null || pin.quarantine !== null;
  return (
    <div className="foot wrap">
      {(waits || pin.approved_by === "first_sight") && (
        <Button
          small
          off={off}
          onClick={() => act.mutate({ what: "approve", digest: pin.changed ?? pin.approved })}
        >
          {pin.changed === null ? t.approveSame : t.approve}
        </Button>
      )}
      {waits && (
        <Button small off={off} onClick={() => act.mutate({ what: "release", digest: pin.approved })}>
          {pin.changed === null ? t.releaseSame : t.release}
        </Button>
      )}
      {pin.quarantine === null && (
        <Button small off={off} onClick={() => act.mutate({ what: "quarantine", digest: "" })}>
          {t.hold}
        </Button>
      )}
      {act.isError && <Failure error={act.error} />}
      {refused && (
        <p className="small" role="alert">
          {refused.message}
        </p>
      )}
      {act.data && !refused && (
        <p className="small muted" role="status">
          {[t.done, ...act.data.hints].join(" ")}
        </p>
      )}
    </div>
  );
}
