// Deny, and put a server aside: the one that was called, or one that a value came from, which is likelier the culprit.
import { useState } from "react";
import { Button } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { Ask } from "../../types";
import { AskHead } from "./AskHead";
import { useAnswer, useArmed } from "./useAnswer";

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

type Props = { ask: Ask; onBack: () => void; onDecided: (() => void) | undefined };

export function QuarantineStep({ ask, onBack, onDecided }: Props) {
  const servers = candidates(ask);
  const [upstream, setUpstream] = useState(servers[0]?.upstream ?? ask.upstream);
  const [time, setTime] = useState<Time>("none");
  const armed = useArmed(`${ask.id}/quarantine`);
  const answer = useAnswer(ask, () => {
    onDecided?.();
    onBack();
  });
  const minutes = time === "none" ? null : Number(time);
  return (
    <>
      <AskHead ask={ask} title={t.quarantineTitle} />
      <div className="body ruled askbody">
        <div className="reach" role="radiogroup" aria-label={t.quarantineWhich}>
          {servers.map((server) => (
            <label key={server.upstream} className="opt">
              <input
                type="radio"
                name="quarantine"
                checked={upstream === server.upstream}
                onChange={() => setUpstream(server.upstream)}
              />
              <span>
                <Name value={server.name} />
              </span>
              <span className="d">{server.called ? t.quarantineCalled : t.quarantineSource}</span>
            </label>
          ))}
        </div>
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
      </div>
      <footer className="askfoot">
        {answer.isError && <Failure error={answer.error} />}
        <div className="two2">
          <Button onClick={onBack}>
            <Icon name="back" />
            {t.back}
          </Button>
          <Button
            look="solid"
            off={!armed || answer.isPending}
            onClick={() => answer.mutate({ answer: { kind: "deny_quarantine", upstream, minutes } })}
          >
            {t.quarantineButton}
          </Button>
        </div>
      </footer>
    </>
  );
}
