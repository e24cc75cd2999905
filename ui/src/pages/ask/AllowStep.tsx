// The second view of a question: how far the answer reaches. At High and Critical a sentence has to be ticked first.
import { useState } from "react";
import { factsOfFindings, NARROWEST, type ScopeFacts } from "../../lib/scope";
import { text } from "../../text";
import type { Ask, AskAnswer } from "../../types";
import { Acknowledge } from "./Acknowledge";
import { HarmOnly } from "./Harm";
import { ENDS, type Reach, ScopeBuilder, useReach } from "./ScopeBuilder";
import { OneOf, Step, type StepProps } from "./Step";

const t = text.ask;
type How = "once" | "session" | "day" | "always";
/** Allowed that often before: the narrowest template is more useful than one more single call. */
const HABIT = 2;

function factsOf(ask: Ask): ScopeFacts {
  return {
    appName: ask.app_name,
    upstreamName: ask.upstream_name,
    target: ask.target,
    severity: ask.severity,
    destinations: ask.destinations,
    fields: ask.fields,
    ...factsOfFindings(ask.findings),
  };
}

export function AllowStep({ deny, ...props }: StepProps & { deny: boolean }) {
  const { ask } = props;
  const always = deny || (!ask.exact_only && ask.history.allowed >= HABIT);
  const [how, setHow] = useState<How>(always ? "always" : "once");
  const reach = useReach(ask.suggested);
  const [ticked, setTicked] = useState(false);
  const needsTick = !deny && ask.needs_acknowledgement;
  return (
    <Step
      {...props}
      name={deny ? "deny" : "allow"}
      title={deny ? t.denyTitle : ask.direction === "to_client" ? t.releaseTitle : t.allowTitle}
      button={deny ? t.denyForever : BUTTONS[how]}
      answer={answerOf(how, deny, reach)}
      acknowledge={
        needsTick
          ? {
              ticked,
              line: (
                <Acknowledge ticked={ticked} onTick={setTicked}>
                  {t.acknowledge(ask.app_name)}
                  <HarmOnly ask={ask} />
                </Acknowledge>
              ),
            }
          : null
      }
    >
      {!deny && <OneOf label={t.reach} options={reaches(ask)} value={how} onChange={setHow} />}
      {ask.exact_only && !deny && <p className="small muted">{t.exactOnly}</p>}
      {how === "always" && (
        <ScopeBuilder
          facts={factsOf(ask)}
          effect={deny ? "deny" : "allow"}
          reach={reach}
          ends={["session", ...ENDS]}
        />
      )}
    </Step>
  );
}

function reaches(ask: Ask): { value: How; label: string; more?: string }[] {
  const once = { value: "once" as const, label: t.once, more: t.onceMore };
  if (ask.exact_only) return [once, { value: "day", label: t.day, more: t.dayMore }];
  return [once, { value: "session", label: t.session(ask.app_name) }, { value: "always", label: t.always }];
}

const BUTTONS: Record<How, string> = {
  once: t.allowOnce,
  session: t.allowSession,
  day: t.allowDay,
  always: t.allowAlways,
};

function answerOf(how: How, deny: boolean, { scope, expires }: Reach): AskAnswer {
  if (deny) return { kind: "deny_always", scope, expires };
  switch (how) {
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
