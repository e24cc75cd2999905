// The second view of a question: how far the answer reaches. At High and Critical a sentence has to be ticked first.
import { type ReactNode, useState } from "react";
import { isSecret, NARROWEST, type ScopeFacts } from "../../lib/scope";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { Ask, AskAnswer, Expiry, ScopeChoice } from "../../types";
import { AskHead } from "./AskHead";
import { HarmOnly } from "./Harm";
import { ENDS, ScopeBuilder, ScopeSentence } from "./ScopeBuilder";
import { useAnswer, useArmed } from "./useAnswer";

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

type Props = { ask: Ask; deny: boolean; onBack: () => void; onDecided: (() => void) | undefined };

export function AllowStep({ ask, deny, onBack, onDecided }: Props) {
  const always = deny || (!ask.exact_only && ask.history.allowed >= HABIT);
  const [reach, setReach] = useState<Reach>(always ? "always" : "once");
  const [scope, setScope] = useState<ScopeChoice>(ask.suggested);
  const [expires, setExpires] = useState<Expiry>({ ends: "after", minutes: 43_200 });
  const [ticked, setTicked] = useState(false);
  const armed = useArmed(`${ask.id}/${deny}`);
  const answer = useAnswer(ask, () => {
    onDecided?.();
    onBack();
  });
  const facts = factsOf(ask);
  const needsTick = !deny && ask.needs_acknowledgement;
  const off = !armed || answer.isPending || (needsTick && !ticked);
  const title = deny ? t.denyTitle : ask.direction === "to_client" ? t.releaseTitle : t.allowTitle;
  const options = reaches(ask);
  return (
    <>
      <AskHead ask={ask} title={title} />
      <div className="body ruled askbody">
        {!deny && (
          <div className="reach" role="radiogroup" aria-label={t.reach}>
            {options.map(([value, label, more]) => (
              <label key={value} className="opt">
                <input type="radio" name="reach" checked={reach === value} onChange={() => setReach(value)} />
                <span>{label}</span>
                {more !== null && <span className="d">{more}</span>}
              </label>
            ))}
          </div>
        )}
        {ask.exact_only && !deny && <p className="small muted">{t.exactOnly}</p>}
        {reach === "always" && (
          <>
            <ScopeBuilder
              facts={facts}
              effect={deny ? "deny" : "allow"}
              scope={scope}
              onScope={setScope}
              expires={expires}
              onExpires={setExpires}
              ends={["session", ...ENDS]}
            />
            <ScopeSentence facts={facts} scope={scope} effect={deny ? "deny" : "allow"} />
          </>
        )}
      </div>
      <footer className="askfoot">
        {needsTick && <Acknowledge ask={ask} ticked={ticked} onTick={setTicked} />}
        {answer.isError && <Failure error={answer.error} />}
        <div className="two2">
          <Button onClick={onBack}>
            <Icon name="back" />
            {t.back}
          </Button>
          <Button
            look="solid"
            off={off}
            onClick={() =>
              answer.mutate({ answer: answerOf(reach, deny, scope, expires), acknowledged: ticked })
            }
          >
            {deny ? t.denyForever : buttonOf(reach)}
          </Button>
        </div>
      </footer>
    </>
  );
}

function Acknowledge({
  ask,
  ticked,
  onTick,
}: {
  ask: Ask;
  ticked: boolean;
  onTick: (on: boolean) => void;
}): ReactNode {
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

function reaches(ask: Ask): [Reach, string, string | null][] {
  const once: [Reach, string, string] = ["once", t.once, t.onceMore];
  if (ask.exact_only) return [once, ["day", t.day, t.dayMore]];
  return [once, ["session", t.session(ask.app_name), null], ["always", t.always, null]];
}

const buttonOf = (reach: Reach) =>
  ({ once: t.allowOnce, session: t.allowSession, day: t.allowDay, always: t.allowAlways })[reach];

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
