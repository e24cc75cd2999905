// One Signature: what it looks for, examples that must match and must not, its source, its switch.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { write } from "../../api/client";
import { keys, useSignature } from "../../api/queries";
import { useNarrow, useWritable } from "../../lib/hooks";
import { Button, Toggle } from "../../parts/controls";
import { Block } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Link } from "../../parts/Link";
import { Prose } from "../../parts/Prose";
import { Failure, Waiting } from "../../parts/states";
import { SeverityBars, VerdictMark } from "../../parts/Verdict";
import { text } from "../../text";
import type { SignatureInfo, SignatureSwitch } from "../../types";
import { Examples } from "./Examples";
import { categoryName } from "./SignatureGroups";

export function SignatureDetail({ signature, onBack }: { signature: SignatureInfo; onBack: () => void }) {
  const narrow = useNarrow();
  const client = useQueryClient();
  const writable = useWritable();
  const change = useMutation({
    mutationFn: (enabled: boolean) =>
      write("PUT", `/api/signatures/${encodeURIComponent(signature.id)}`, {
        enabled,
      } satisfies SignatureSwitch),
    onSettled: () => client.invalidateQueries({ queryKey: keys.signatures }),
  });
  const facts = [
    signature.status,
    text.signatures.version(signature.version),
    categoryName(signature.category),
  ];
  return (
    <>
      <div className="row sighead">
        {narrow && (
          <Button look="quiet" small label={text.nav.back} onClick={onBack}>
            <Icon name="back" />
          </Button>
        )}
        <div className="grow">
          <h2 className="mono sigid">{signature.id}</h2>
          <div className="row small muted wrap">
            <SeverityBars severity={signature.severity} word />
            <VerdictMark verdict={signature.verdict} />
            <span>
              {facts.join(" · ")} · {text.detail.confidence[signature.confidence]}
            </span>
          </div>
        </div>
        <span className="row small">
          {text.signatures.on}
          <Toggle
            on={change.isPending ? change.variables : signature.enabled}
            label={text.signatures.toggle(signature.id)}
            off={!writable || change.isPending}
            onChange={() => change.mutate(!signature.enabled)}
          />
        </span>
      </div>
      {change.isError && <Failure error={change.error} />}
      {asks(signature) && <p className="small muted">{text.signatures.asks}</p>}
      <p className="prose">
        <Prose words={signature.description} />
      </p>
      <Examples signature={signature} />
      <p className="small prose">
        <b>{text.signatures.advice}</b>{" "}
        <span className="muted">
          <Prose words={signature.advice} />
        </span>
      </p>
      {signature.false_positives !== "" && (
        <p className="small prose">
          <b>{text.signatures.falseAlarms}</b>{" "}
          <span className="muted">
            <Prose words={signature.false_positives} />
          </span>
        </p>
      )}
      <p className="row wrap small">
        <Link to={{ page: "alerts", search: about(signature, "all") }}>
          {text.signatures.showAlerts(signature.hits_30d)}
        </Link>
        <Link to={{ page: "decisions", search: about(signature) }}>{text.signatures.showDecisions}</Link>
      </p>
      {signature.references.length > 0 && (
        <div className="small">
          <b>{text.signatures.references}</b>
          <ul className="muted mono refs">
            {signature.references.map((reference) => (
              <li key={reference}>{reference}</li>
            ))}
          </ul>
        </div>
      )}
      <Source id={signature.id} />
    </>
  );
}

/** It only flags because it may be wrong, and the harm would be grave (decision 050). */
const asks = ({ verdict, confidence, severity }: SignatureInfo) =>
  verdict === "flag" && confidence !== "high" && (severity === "high" || severity === "critical");

/** The search for what a Signature's id names. */
const about = ({ id }: SignatureInfo, state?: string) =>
  new URLSearchParams({ ...(state === undefined ? {} : { state }), q: id }).toString();

function Source({ id }: { id: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div>
      <button type="button" className="linklike small" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? text.signatures.hideSource : text.signatures.source}
      </button>
      {open && <SourceText id={id} />}
    </div>
  );
}

function SourceText({ id }: { id: string }) {
  const full = useSignature(id);
  return (
    <>
      <Waiting query={full} rows={4} />
      {full.data && <Block value={full.data.text ?? ""} />}
    </>
  );
}
