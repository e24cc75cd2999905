// One Decision: its sentence, how often it was used, when it ends, and Revoke, which can be undone for 10 seconds.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState } from "react";
import { write } from "../../api/client";
import { useKeepFocus } from "../../lib/focus";
import { useNow, useWritable } from "../../lib/hooks";
import { fullWhen, shortWhen } from "../../lib/time";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { SeverityBars } from "../../parts/Verdict";
import { text } from "../../text";
import type { Decision, DecisionRow as Row } from "../../types";
import { DecisionSentence } from "./Sentence";

const t = text.decisions;
const UNDO_MS = 10_000;
const ICON = { allow: "check", redact: "redact", deny: "block" } as const;
const MARK = { allow: "allow", redact: "redact", deny: "block" } as const;

export function DecisionRow({ row }: { row: Row }) {
  const now = useNow(30_000);
  const sentence = useId();
  const { decision } = row;
  const facts = [
    t.used(row.uses),
    row.last_used_at === null ? null : t.lastUsed(shortWhen(row.last_used_at, now)),
    t.made(shortWhen(decision.at, now)),
    row.state === "active" ? ending(decision, now) : null,
  ].filter((fact) => fact !== null);
  const { signatures } = decision.scope;
  return (
    <li className={`decision ${row.state === "active" ? "" : "faint"}`} tabIndex={-1}>
      <span className={`verdict v-${MARK[decision.effect]}`}>
        <Icon name={ICON[decision.effect]} />
        {t.effect[decision.effect]}
      </span>
      <div className="grow">
        <p id={sentence}>
          <DecisionSentence decision={decision} />
        </p>
        <p className="l2">
          <SeverityBars severity={decision.severity} />{" "}
          <span className="mono">
            {signatures.reach === "these"
              ? t.about(signatures.signatures.map((one) => one.id))
              : t.upTo(text.severity[signatures.severity])}
          </span>
          {" · "}
          <span className="num">{facts.join(" · ")}</span>
        </p>
        {row.state !== "active" && (
          <p className="l2">
            {t.state[row.state]}
            {row.ended_at !== null && (
              <span title={fullWhen(row.ended_at)}>, {shortWhen(row.ended_at, now)}</span>
            )}
          </p>
        )}
      </div>
      {row.state === "active" && <Revoke id={decision.id} sentence={sentence} />}
    </li>
  );
}

function ending(decision: Decision, now: number): string {
  if (decision.once) return t.once;
  if (decision.session !== null) return t.session;
  return decision.expires_at === null ? t.noEnd : t.ends(shortWhen(decision.expires_at, now));
}

/** The revocation is sent when the time to undo is over, or at once when the page is left. */
function Revoke({ id, sentence }: { id: string; sentence: string }) {
  const client = useQueryClient();
  const writable = useWritable();
  const [since, setSince] = useState<number | null>(null);
  const revoke = useMutation({
    mutationFn: () => write("DELETE", `/api/decisions/${encodeURIComponent(id)}`),
    onSettled: () => client.invalidateQueries({ queryKey: ["decisions"] }),
  });
  const keepFocus = useKeepFocus("button");
  const send = useRef(revoke.mutate);
  send.current = revoke.mutate;
  /** What is to happen when the time is over, or the row is left before that: by another page, tab or search. */
  const due = useRef<(() => void) | null>(null);
  useEffect(() => () => due.current?.(), []);
  useEffect(() => {
    if (since === null) return;
    const go = () => {
      due.current = null;
      send.current();
    };
    due.current = go;
    const leave = () => due.current?.();
    const timer = setTimeout(leave, UNDO_MS);
    window.addEventListener("pagehide", leave);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pagehide", leave);
    };
  }, [since]);
  const undo = () => {
    due.current = null;
    setSince(null);
  };
  if (revoke.isError) return <Failure error={revoke.error} retry={() => revoke.mutate()} />;
  const running = since !== null && !revoke.isSuccess;
  return (
    <span className="row small" {...keepFocus}>
      {running ? (
        <>
          <Left until={since + UNDO_MS} />
          <Button key="undo" small describedBy={sentence} off={revoke.isPending} onClick={undo}>
            {t.undo}
          </Button>
        </>
      ) : (
        <Button
          key="revoke"
          small
          describedBy={sentence}
          off={!writable || revoke.isSuccess}
          onClick={() => setSince(Date.now())}
        >
          {t.revoke}
        </Button>
      )}
    </span>
  );
}

function Left({ until }: { until: number }) {
  const now = useNow(500);
  return (
    <span className="muted num" role="status">
      {t.revokeSoon(Math.max(0, Math.ceil((until - now) / 1000)))}
    </span>
  );
}
