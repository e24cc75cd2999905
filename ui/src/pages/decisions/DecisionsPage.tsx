// Decisions: what the person let Portcullis remember, one sentence each; searched, revoked, and why the ended ones ended.
import { useDeferredValue } from "react";
import { type DecisionFilter, useDecisions } from "../../api/queries";
import { useFocusKeys } from "../../lib/focus";
import { useKeys } from "../../lib/keys";
import { navigate, useRoute } from "../../lib/route";
import { Tabs } from "../../parts/controls";
import { FindBox } from "../../parts/FindBox";
import { Link } from "../../parts/Link";
import { Empty, Waiting } from "../../parts/states";
import { text } from "../../text";
import { DecisionRow } from "./DecisionRow";
import { decisionWords } from "./Sentence";

const t = text.decisions;
const STATES: DecisionFilter[] = ["active", "ended", "all"];

export default function DecisionsPage() {
  const params = new URLSearchParams(useRoute().search);
  const state = STATES.find((known) => known === params.get("state")) ?? "active";
  const q = params.get("q") ?? "";
  const decisions = useDecisions(state);
  const wanted = useDeferredValue(q.trim().toLowerCase());
  const rows = (decisions.data ?? []).filter((row) => decisionWords(row.decision).includes(wanted));
  const list = useFocusKeys<HTMLUListElement>(".decision");
  const go = (next: { state?: DecisionFilter; q?: string }) => {
    const to = new URLSearchParams();
    const { state: s = state, q: words = q } = next;
    if (s !== "active") to.set("state", s);
    if (words !== "") to.set("q", words);
    navigate({ page: "decisions", search: to.toString() }, "replace");
  };
  useKeys({ Escape: () => (q === "" ? false : go({ q: "" })) });
  const empty = q !== "" ? t.emptyFilter : state === "ended" ? t.emptyEnded : t.empty;
  return (
    <>
      <header className="top">
        <div className="grow">
          <h1>{text.pages.decisions}</h1>
          <p className="small muted">
            {t.lead} <Link to={{ page: "alerts", search: "state=all" }}>{t.leadLink}</Link>
          </p>
        </div>
      </header>
      <div className="filters">
        <FindBox label={t.filter} value={q} onChange={(words) => go({ q: words })} />
      </div>
      <Tabs
        label={t.tabsLabel}
        value={state}
        options={STATES.map((value) => ({ value, label: t.tabs[value] }))}
        onChange={(value) => go({ state: value })}
      />
      <div className="page flush">
        <Waiting query={decisions} rows={5} tall />
        {decisions.data && rows.length === 0 && <Empty title={empty} />}
        <ul className="decisions" aria-label={t.list} ref={list}>
          {rows.map((row) => (
            <DecisionRow key={row.decision.id} row={row} />
          ))}
        </ul>
      </div>
    </>
  );
}
