// The second view of a question: how far the answer reaches. At High and Critical a sentence has to be ticked first.
import { useState } from "react";
import { isSecret, NARROWEST, type ScopeFacts } from "../../lib/scope";
import { text } from "../../text";
import type { Ask, AskAnswer, Expiry, ScopeChoice } from "../../types";
import { HarmOnly } from "./Harm";
import { ENDS, ScopeBuilder, ScopeSentence } from "./ScopeBuilder";
import { OneOf, Step, type StepProps } from "./Step";

const t = text.ask;
type Reach = "once" | "session" | "day" | "always";
/** Allowed that often before: the narrowest template is more useful than one more single call. */
const HABIT = 2;

export function factsOf(ask: Ask): ScopeFacts {
  return {
    appName: ask.app_name,
    upstreamName: ask.upstream_name,
    target: ask.target,
    severity: ask.severity,
    signatures: [...new Set(ask.findings.map((finding) => finding.signature))],
    destinations: ask.destinations,
    fields: ask.fields,
    secret: isSecret(ask.findings),
  };
}

export function AllowStep({ deny, ...props }: StepProps & { deny: boolean }) {
  const { ask } = props;
  const always = deny || (!ask.exact_only && ask.history.allowed >= HABIT);
  const [reach, setReach] = useState<Reach>(always ? "always" : "once");
  const [scope, setScope] = useState<ScopeChoice>(ask.suggested);
  const [expires, setExpires] = useState<Expiry>({ ends: "after", minutes: 43_200 });
  const [ticked, setTicked] = useState(false);
  const facts = factsOf(ask);
  const needsTick = !deny && ask.needs_acknowledgement;
  const effect = deny ? "deny" : "allow";
  return (
    <Step
      {...props}
      name={deny ? "deny" : "allow"}
      title={deny ? t.denyTitle : ask.direction === "to_client" ? t.releaseTitle : t.allowTitle}
      button={deny ? t.denyForever : BUTTONS[reach]}
      answer={answerOf(reach, deny, scope, expires)}
      acknowledge={
        needsTick ? { ticked, line: <Acknowledge ask={ask} ticked={ticked} onTick={setTicked} /> } : null
      }
    >
      {!deny && <OneOf label={t.reach} options={reaches(ask)} value={reach} onChange={setReach} />}
      {ask.exact_only && !deny && <p className="small muted">{t.exactOnly}</p>}
      {reach === "always" && (
        <>
          <ScopeBuilder
            facts={facts}
            effect={effect}
            scope={scope}
            onScope={setScope}
            expires={expires}
            onExpires={setExpires}
            ends={["session", ...ENDS]}
          />
          <ScopeSentence facts={facts} scope={scope} effect={effect} />
        </>
      )}
    </Step>
  );
}

type AcknowledgeProps = { ask: Ask; ticked: boolean; onTick: (on: boolean) => void };

function Acknowledge({ ask, ticked, onTick }: AcknowledgeProps) {
  return (
    <label className="ack small">
      <input type="checkbox" checked={ticked} onChange={(event) => onTick(event.target.checked)} />
      <span>
        {t.acknowledge(ask.app_name)}
        <HarmOnly ask={ask} />
      </span>
    </label>
  );
}

function reaches(ask: Ask): { value: Reach; label: string; more?: string }[] {
  const once = { value: "once" as const, label: t.once, more: t.onceMore };
  if (ask.exact_only) return [once, { value: "day", label: t.day, more: t.dayMore }];
  return [once, { value: "session", label: t.session(ask.app_name) }, { value: "always", label: t.always }];
}

const BUTTONS: Record<Reach, string> = {
  once: t.allowOnce,
  session: t.allowSession,
  day: t.allowDay,
  always: t.allowAlways,
};

function answerOf(reach: Reach, deny: boolean, scope: ScopeChoice, expires: Expiry): AskAnswer {
  if (deny) return { kind: "deny_always", scope, expires };
  switch (reach) {
    case "once":
      return { kind: "allow_once" };
    case "session":
      return { kind: "allow_session" };
    case "day":
      return { kind: "allow_always", scope: NARROWEST, expires: { ends: "after", minutes: 1440 } };
    case "always":
      return { kind: "allow_always", scope, expires };
  }
}
