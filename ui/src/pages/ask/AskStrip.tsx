// What is left of a question while a full-screen app is in front: what waits and for how long. Nothing here answers it; a
// click asks the shell to make the window whole.
import { useNow } from "../../lib/hooks";
import { Icon } from "../../parts/Icon";
import { text } from "../../text";
import type { Ask } from "../../types";
import { secondsLeft } from "./AskHead";
import { Harm } from "./Harm";

const t = text.ask;

export function AskStrip({ ask, onOpen }: { ask: Ask; onOpen: () => void }) {
  const left = secondsLeft(ask, useNow(500));
  const waits = ask.state === "waiting";
  return (
    <button type="button" className={`askstrip ${waits ? "" : "over"}`} title={t.open} onClick={onOpen}>
      <Icon name={waits ? "ask" : "block"} />
      <span className="said">{waits ? <Harm ask={ask} /> : t.over[ask.state]}</span>
      {waits && (
        <span className={`asktime num ${left <= 10 ? "last" : ""}`} role="timer" aria-label={t.timer(left)}>
          {t.left(left)}
        </span>
      )}
    </button>
  );
}
