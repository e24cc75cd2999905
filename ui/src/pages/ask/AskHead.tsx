// The head of a question: time left, who wants to do what with which thing.

import { needsTitle } from "../../lib/harm";
import { useNow } from "../../lib/hooks";
import { strongestFirst } from "../../lib/session";
import { clockSeconds } from "../../lib/time";
import { AppLetter } from "../../parts/AppBadge";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Prose } from "../../parts/Prose";
import { text } from "../../text";
import type { Ask } from "../../types";
import { Harm } from "./Harm";

const t = text.ask;
/** Told to a screen reader then, and only then. */
const SPOKEN = [30, 10, 5];

export const secondsLeft = (ask: Ask, now: number) => Math.max(0, Math.ceil((ask.deadline_at - now) / 1000));

export function AskHead({ ask, title }: { ask: Ask; title?: string }) {
  const strongest = strongestFirst(ask.findings)[0];
  // The harm is the headline of a question; above a step or an end it is said below that.
  const heading = title ?? (ask.state === "waiting" ? null : t.over[ask.state]);
  return (
    <header className="askhead">
      {ask.state === "waiting" && <TimeBar ask={ask} />}
      <div className="askwhere small">
        <AppLetter name={ask.app_name} />
        <b>{ask.app_name}</b>
        <span aria-hidden="true">{text.detail.arrow}</span>
        <span className="ell grow">
          <Name value={ask.upstream_name} /> / <Name value={ask.target ?? ask.method} />
        </span>
        {ask.state === "waiting" && <TimeLeft ask={ask} />}
      </div>
      {ask.state === "waiting" && ask.extended && (
        <p className="tiny muted askmore" role="status">
          {t.extended(ask.app_name, clockSeconds(ask.deadline_at))}
        </p>
      )}
      <div className={`askcue ${ask.state === "waiting" ? "" : "over"}`}>
        <Icon name={ask.state === "waiting" ? "ask" : ask.state === "allowed" ? "check" : "block"} />
        <div>
          <h1 id="ask-title" tabIndex={-1}>
            {heading ?? <Harm ask={ask} />}
          </h1>
          {heading !== null && (
            <p>
              <Harm ask={ask} />
            </p>
          )}
          {strongest && needsTitle(ask) && (
            <p className="muted">
              <Prose words={strongest.title} />
            </p>
          )}
        </div>
      </div>
    </header>
  );
}

function TimeLeft({ ask }: { ask: Ask }) {
  const left = secondsLeft(ask, useNow(500));
  return (
    <>
      <span className={`asktime num ${left <= 10 ? "last" : ""}`} role="timer" aria-label={t.timer(left)}>
        <Icon name="clock" />
        {t.seconds(left)}
      </span>
      <span className="vh" role="status">
        {SPOKEN.includes(left) && t.timer(left)}
      </span>
    </>
  );
}

function TimeBar({ ask }: { ask: Ask }) {
  const now = useNow(500);
  const whole = Math.max(1, ask.deadline_at - ask.at);
  const share = Math.min(1, Math.max(0, (ask.deadline_at - now) / whole));
  return (
    <div className="timebar" aria-hidden="true">
      <i style={{ width: `${share * 100}%` }} />
    </div>
  );
}
