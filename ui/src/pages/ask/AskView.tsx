// One question, the same in the small window and in the dashboard. Deny is one click, Allow is a step, Enter does nothing
// until the person has put the focus on a button.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { keys } from "../../api/queries";
import { useKeepFocus } from "../../lib/focus";
import { useStrip, useWritable } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { plainName } from "../../lib/reveal";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { Ask, AskState } from "../../types";
import { AllowStep } from "./AllowStep";
import { Arguments, AskFacts } from "./AskFacts";
import { AskHead } from "./AskHead";
import { AskStrip } from "./AskStrip";
import { QuarantineStep } from "./QuarantineStep";
import { sendAnswer, useAnswer, useArmed } from "./useAnswer";
import { STAYS_MS, useLook } from "./useLook";

const t = text.ask;
type Step = "facts" | "allow" | "deny" | "quarantine";
type Props = {
  ask: Ask;
  more: number;
  /** All that wait from the same server, this one among them. */
  same: Ask[];
  /** Closes a view that nobody looked at, a while after its question ended. */
  onForgotten?: () => void;
  /** Only in the small window: makes it whole again. */
  onOpen?: () => void;
  onNext: (() => void) | null;
  onClose: () => void;
  onDecided?: () => void;
};

/** From so many of one server on they can be denied together. */
const MANY = 3;
/** An answer to these is kept for the retry. */
const LATE: AskState[] = ["timed_out", "unattended"];

export function AskView(props: Props) {
  const { ask } = props;
  const [step, setStep] = useState<Step>("facts");
  const { looked, watch } = useLook(ask);
  useForgotten(props, looked);
  const box = useRef<HTMLDivElement>(null);
  const keepFocus = useKeepFocus("#ask-title");
  const strip = useStrip() && props.onOpen !== undefined;
  const answerable = ask.state === "waiting" || LATE.includes(ask.state);
  useEffect(() => {
    if (!answerable) setStep("facts");
  }, [answerable]);
  useKeys({
    Escape: () => (step === "facts" ? props.onClose() : setStep("facts")),
    "Ctrl l": () => (answerable && !strip ? setStep("allow") : false),
  });
  if (strip) return <AskStrip ask={ask} onOpen={props.onOpen ?? props.onClose} />;
  return (
    <div
      className="askview"
      role="alertdialog"
      aria-labelledby="ask-title"
      ref={box}
      {...watch}
      onFocus={(event) => {
        watch.onFocus();
        keepFocus.onFocus(event);
      }}
      // A click into the window puts the focus on the headline, never on a button that Enter would press.
      onPointerDown={(event) => {
        if ((event.target as HTMLElement).closest("button, a, input, select, label, [tabindex]") === null)
          box.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
      }}
    >
      {step === "facts" ? (
        <>
          <AskHead ask={ask} />
          <AskFacts ask={ask} />
          {ask.state === "waiting" ? (
            <Choices {...props} onStep={setStep} />
          ) : (
            <Over {...props} onStep={setStep} />
          )}
        </>
      ) : step === "quarantine" ? (
        <QuarantineStep ask={ask} onBack={() => setStep("facts")} onDecided={props.onDecided} />
      ) : (
        <AllowStep
          ask={ask}
          deny={step === "deny"}
          onBack={() => setStep("facts")}
          onDecided={props.onDecided}
        />
      )}
    </div>
  );
}

function useForgotten({ ask, onForgotten }: Props, looked: boolean) {
  const over = ask.state !== "waiting";
  useEffect(() => {
    if (!over || looked || onForgotten === undefined) return;
    const timer = setTimeout(onForgotten, STAYS_MS);
    return () => clearTimeout(timer);
  }, [over, looked, onForgotten]);
}

function Choices({ ask, more, same, onStep, onDecided }: Props & { onStep: (step: Step) => void }) {
  const writable = useWritable();
  const answer = useAnswer(ask, onDecided);
  const armed = useArmed(ask.id);
  const [preview, setPreview] = useState(false);
  const off = !armed || !writable || answer.isPending;
  const result = ask.direction === "to_client";
  const deny = () => !off && answer.mutate({ answer: { kind: "deny" } });
  const redact = () => !off && answer.mutate({ answer: { kind: "redact_once" } });
  useKeys({ "Ctrl d": deny, "Ctrl r": ask.redacted === null ? undefined : redact });
  return (
    <>
      {preview && ask.redacted !== null && (
        <div className="body ruled askpreview">
          <Arguments ask={ask} raw={ask.redacted} marked={false} heading={t.redactedAs} />
        </div>
      )}
      <footer className="askfoot">
        {answer.isError && <Failure error={answer.error} />}
        <div className={`acts ${ask.redacted === null ? "two2" : ""}`}>
          <Button off={off} onClick={() => onStep("allow")}>
            {result ? t.release : t.allow}
          </Button>
          {ask.redacted !== null && (
            <Button off={off} onClick={redact}>
              <Icon name="redact" />
              {result ? t.redactRelease : t.redact}
            </Button>
          )}
          <Button look="solid" off={off} onClick={deny}>
            {result ? t.withhold : t.deny}
          </Button>
        </div>
        <p className="tiny faint askline">
          {more > 0 && <span>{t.more(more)}</span>}
          {same.length >= MANY && <DenyAll asks={same} off={off} onDecided={onDecided} />}
          {ask.redacted !== null && (
            <button type="button" className="linklike" onClick={() => setPreview(!preview)}>
              {preview ? t.hideRedacted : t.showRedacted}
            </button>
          )}
          <button type="button" className="linklike" onClick={() => onStep("deny")}>
            {t.denyAlways}
          </button>
          <button type="button" className="linklike" onClick={() => onStep("quarantine")}>
            {t.quarantine}
          </button>
        </p>
      </footer>
    </>
  );
}

/** There is no "allow all". */
function DenyAll({ asks, off, onDecided }: { asks: Ask[]; off: boolean; onDecided: Props["onDecided"] }) {
  const client = useQueryClient();
  const deny = useMutation({
    // One that ended meanwhile is no failure of the others.
    mutationFn: () => Promise.allSettled(asks.map((ask) => sendAnswer(ask, { kind: "deny" }, false))),
    onSuccess: () => onDecided?.(),
    onSettled: () => client.invalidateQueries({ queryKey: keys.asks }),
  });
  return (
    <button
      type="button"
      className="linklike"
      aria-disabled={off || deny.isPending || undefined}
      onClick={() => !off && !deny.isPending && deny.mutate()}
    >
      {t.denyAll(asks.length, plainName(asks[0]?.upstream_name ?? ""))}
    </button>
  );
}

function Over({ ask, onNext, onClose, onStep }: Props & { onStep: (step: Step) => void }) {
  const answer = useAnswer(ask);
  const armed = useArmed(`${ask.id}/${ask.state}`);
  const late = LATE.includes(ask.state) && !answer.isSuccess;
  const told = LATE.includes(ask.state) && !late ? undefined : t.told[ask.state];
  return (
    <footer className="askfoot">
      {told && <p className="small muted">{told}</p>}
      {late && <p className="small">{t.lateHint}</p>}
      {answer.isSuccess && <p className="small">{t.kept}</p>}
      {answer.isError && <Failure error={answer.error} />}
      <div className="acts two2">
        {late ? (
          <>
            <Button off={!armed} onClick={() => onStep("allow")}>
              {t.lateAllow}
            </Button>
            <Button off={!armed} onClick={() => answer.mutate({ answer: { kind: "deny" } })}>
              {t.lateDeny}
            </Button>
          </>
        ) : (
          <span />
        )}
        {onNext === null ? (
          <Button onClick={onClose}>{t.close}</Button>
        ) : (
          <Button onClick={onNext}>{t.next}</Button>
        )}
      </div>
    </footer>
  );
}
