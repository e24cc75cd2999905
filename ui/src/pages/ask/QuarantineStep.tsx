// Deny, and put a server aside: the one that was called, or one that a value came from, which is likelier the culprit.
import { useState } from "react";
import { Name } from "../../parts/Hostile";
import { text } from "../../text";
import type { Ask } from "../../types";
import { OneOf, Step, type StepProps } from "./Step";

const t = text.ask;
type Time = keyof typeof t.quarantineTimes;
const TIMES = Object.keys(t.quarantineTimes).sort((a, b) => (Number(a) || 0) - (Number(b) || 0)) as Time[];

/** The sender of the poison first: it is preselected. */
export function candidates(ask: Ask): { upstream: string; name: string; called: boolean }[] {
  const sources = ask.origins
    .filter((origin) => origin.upstream !== ask.upstream)
    .map((origin) => ({ upstream: origin.upstream, name: origin.upstream_name, called: false }));
  const all = [...sources, { upstream: ask.upstream, name: ask.upstream_name, called: true }];
  return all.filter((one, i) => all.findIndex((other) => other.upstream === one.upstream) === i);
}

export function QuarantineStep(props: StepProps) {
  const servers = candidates(props.ask);
  const [upstream, setUpstream] = useState(servers[0]?.upstream ?? props.ask.upstream);
  const [time, setTime] = useState<Time>("none");
  const minutes = time === "none" ? null : Number(time);
  return (
    <Step
      {...props}
      name="quarantine"
      title={t.quarantineTitle}
      button={t.quarantineButton}
      answer={{ kind: "deny_quarantine", upstream, minutes }}
    >
      <OneOf
        label={t.quarantineWhich}
        options={servers.map((server) => ({
          value: server.upstream,
          label: <Name value={server.name} />,
          more: server.called ? t.quarantineCalled : t.quarantineSource,
        }))}
        value={upstream}
        onChange={setUpstream}
      />
      <label className="row small">
        {t.quarantineFor}
        <select className="select" value={time} onChange={(event) => setTime(event.target.value as Time)}>
          {TIMES.map((key) => (
            <option key={key} value={key}>
              {t.quarantineTimes[key]}
            </option>
          ))}
        </select>
      </label>
      <p className="small muted">
        {t.quarantineMore} <code>portcullis quarantine release</code>.
      </p>
    </Step>
  );
}
