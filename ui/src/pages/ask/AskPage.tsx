// Questions in the dashboard: those that wait, those that are over (an answer can still be kept for the retry).
import { useNow } from "../../lib/hooks";
import { navigate, useRoute } from "../../lib/route";
import { shortWhen } from "../../lib/time";
import { AppLetter } from "../../parts/AppBadge";
import { Name } from "../../parts/Hostile";
import { Link } from "../../parts/Link";
import { Empty, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { Ask } from "../../types";
import { secondsLeft } from "./AskHead";
import { AskView } from "./AskView";
import { Harm } from "./Harm";
import { useQueue } from "./useQueue";

const t = text.ask;

export default function AskPage() {
  const { open } = useRoute();
  const { query, waiting, recent, shown, same, more, next } = useQueue(open);
  const close = () => {
    next();
    navigate({ page: "ask" });
  };
  return (
    <>
      <header className="top">
        <h1 className="grow">{t.title}</h1>
        {waiting.length > 0 && <span className="small muted">{t.waiting(waiting.length)}</span>}
      </header>
      <div className={`split asksplit ${shown === null && recent.length === 0 ? "nothing" : ""}`}>
        <section className="list askslist" aria-label={t.list}>
          <Waiting query={query} rows={3} tall />
          {query.data && waiting.length + recent.length === 0 && (
            <Empty title={t.none}>
              <p className="small muted prose">{t.noneMore}</p>
            </Empty>
          )}
          {waiting.map((ask) => (
            <AskRow key={ask.id} ask={ask} current={ask.id === shown?.id} />
          ))}
          {recent.length > 0 && <h2 className="g">{t.recent}</h2>}
          {recent.map((ask) => (
            <AskRow key={ask.id} ask={ask} current={ask.id === shown?.id} />
          ))}
        </section>
        {shown === null ? (
          recent.length > 0 && <p className="det hint muted">{t.choose}</p>
        ) : (
          <div className="det">
            <AskView
              key={shown.id}
              ask={shown}
              more={more}
              same={same}
              onNext={more > 0 ? close : null}
              onClose={close}
              onDecided={() => more > 0 && close()}
            />
          </div>
        )}
      </div>
    </>
  );
}

function AskRow({ ask, current }: { ask: Ask; current: boolean }) {
  const now = useNow(1000);
  return (
    <Link className={`askrow ${current ? "sel" : ""}`} to={{ page: "ask", open: ask.id }} current={current}>
      <AppLetter name={ask.app_name} />
      <span className="grow ell">
        <span className="harm">
          <Harm ask={ask} />
        </span>
        <span className="l2 ell block">
          {ask.app_name} {text.detail.arrow} <Name value={ask.upstream_name} /> /{" "}
          <Name value={ask.target ?? ask.method} />
        </span>
      </span>
      <span className="num small faint right">
        {ask.state === "waiting" ? (
          <b className="v-ask">{secondsLeft(ask, now)} s</b>
        ) : (
          <>
            {shortWhen(ask.at, now)}
            <span className="l2 block">{t.overShort[ask.state]}</span>
          </>
        )}
      </span>
    </Link>
  );
}
