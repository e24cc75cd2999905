// The first run: what Portcullis does and does not see, the exact change of every file, restarting apps, an attack to
// try. Nothing is written before the one button of the second step. Can be left at any time, and opened again.
import { useEffect } from "react";
import { changePrefs } from "../../lib/prefs";
import { navigate, useRoute } from "../../lib/route";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { text } from "../../text";
import { Choose } from "./Choose";
import { Restart } from "./Restart";
import { TryAttack } from "./TryAttack";

const t = text.welcome;
const STEPS = ["what", "choose", "restart", "attack"] as const;
export type Step = (typeof STEPS)[number];

export default function WelcomePage() {
  const asked = new URLSearchParams(useRoute().search).get("step");
  const step = STEPS.find((known) => known === asked) ?? "what";
  const at = STEPS.indexOf(step);
  const go = (to: Step) => navigate({ page: "welcome", search: to === "what" ? "" : `step=${to}` });
  const leave = () => {
    changePrefs({ welcomed: true });
    navigate({ page: "overview" });
  };
  useEffect(() => {
    document.querySelector<HTMLElement>(".welcome h1")?.focus();
  }, []);
  return (
    <div className="welcome">
      <nav className="steps" aria-label={t.steps}>
        <ol>
          {STEPS.map((name, i) => (
            <li key={name}>
              <button
                type="button"
                className="step"
                aria-current={name === step ? "step" : undefined}
                onClick={() => go(name)}
              >
                <span className={`dot ${i < at ? "done" : ""}`}>
                  {i < at ? <Icon name="check" /> : i + 1}
                </span>
                {i < at && <span className="vh">{t.done} </span>}
                {t.names[name]}
              </button>
            </li>
          ))}
        </ol>
        <p className="small muted">{t.local}</p>
      </nav>
      <div className="stepbody">
        {step === "what" && <What onNext={() => go("choose")} onLeave={leave} />}
        {step === "choose" && (
          <Choose onBack={() => go("what")} onDone={() => go("restart")} onLeave={leave} />
        )}
        {step === "restart" && (
          <Restart onBack={() => go("choose")} onNext={() => go("attack")} onLeave={leave} />
        )}
        {step === "attack" && <TryAttack onBack={() => go("restart")} onDone={leave} />}
      </div>
    </div>
  );
}

function What({ onNext, onLeave }: { onNext: () => void; onLeave: () => void }) {
  return (
    <>
      <div className="stepmain">
        <h1 tabIndex={-1}>{t.what.title}</h1>
        {t.what.does.map((sentence) => (
          <p key={sentence} className="prose">
            {sentence}
          </p>
        ))}
        <h2>{t.what.limits}</h2>
        <ul className="bullets muted">
          {t.what.cannot.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </div>
      <footer className="stepfoot">
        <Button look="quiet" onClick={onLeave}>
          {t.notNow}
        </Button>
        <span className="grow" />
        <Button look="solid" onClick={onNext}>
          {t.what.next}
        </Button>
      </footer>
    </>
  );
}
