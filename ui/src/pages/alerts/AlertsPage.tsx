// Alerts: Open, Reviewed or All; equal ones grouped; the open one's facts beside the list.
import { useEffect, useRef, useState } from "react";
import { onLive } from "../../api/live";
import { type AlertState, useAlerts, useNames, useStatus } from "../../api/queries";
import { useNarrow } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { navigate, useRoute } from "../../lib/route";
import { appName } from "../../parts/AppBadge";
import { Tabs } from "../../parts/controls";
import { ExportMenu } from "../../parts/ExportMenu";
import { FindBox } from "../../parts/FindBox";
import { HeldLine } from "../../parts/HeldLine";
import { Empty, Waiting } from "../../parts/states";
import { type ListHandle, VirtualList } from "../../parts/VirtualList";
import { number, text } from "../../text";
import type { AlertGroup, App } from "../../types";
import { AlertDetail } from "./AlertDetail";
import { AlertRow } from "./AlertRow";
import { useHeldAlerts } from "./useHeldAlerts";

const STATES: AlertState[] = ["open", "reviewed", "all"];

export function AlertsPage() {
  const route = useRoute();
  const params = new URLSearchParams(route.search);
  const state = STATES.find((known) => known === params.get("state")) ?? "open";
  const alerts = useAlerts(state);
  const names = useNames();
  const status = useStatus().data;
  const narrow = useNarrow();
  const open = route.open;
  const [atTop, setAtTop] = useState(true);
  const list = useRef<ListHandle>(null);
  const reading = open !== null || !atTop;
  const { shown: all, held, showHeld } = useHeldAlerts(alerts.data?.groups ?? [], reading, state);
  const showNewer = () => {
    showHeld();
    list.current?.toTop();
  };
  useKeys({ ".": () => (held > 0 ? showNewer() : false) });
  const q = params.get("q") ?? "";
  const toSearch = (next: AlertState, words: string) => {
    const to = new URLSearchParams();
    if (next !== "open") to.set("state", next);
    if (words !== "") to.set("q", words);
    return to.toString();
  };
  const search = toSearch(state, q);
  const find = (words: string) =>
    navigate({ page: "alerts", search: toSearch(state, words), open }, "replace");
  const groups = all.filter((group) => wordsOf(group, names.apps).includes(q.trim().toLowerCase()));
  useKeys({ Escape: () => (open === null && q !== "" ? find("") : false) });
  const show = (id: string | null) =>
    navigate({ page: "alerts", search, open: id }, open === null ? "push" : "replace");
  const counts = { open: alerts.data?.open, reviewed: undefined, all: alerts.data?.all };
  const news = useNews();
  const empty =
    q !== ""
      ? text.alerts.emptyFilter
      : state === "reviewed"
        ? text.alerts.emptyReviewed
        : status && text.alerts.empty(status.messages_today);
  return (
    <>
      <header className="top">
        <h1 className="grow">{text.pages.alerts}</h1>
        <ExportMenu filter={() => new URLSearchParams({ verdict: "flag,redact,ask,block" })} />
        <p className="vh" role="status">
          {news > 0 && text.alerts.polite(news)}
        </p>
      </header>
      <div className="filters">
        <FindBox label={text.alerts.find} value={q} onChange={find} />
      </div>
      <Tabs
        label={text.alerts.tabsLabel}
        value={state}
        options={STATES.map((value) => ({
          value,
          label: (
            <>
              {text.alerts.tabs[value]}{" "}
              {counts[value] !== undefined && <span className="faint num">{number(counts[value])}</span>}
            </>
          ),
        }))}
        onChange={(value) => navigate({ page: "alerts", search: toSearch(value, q) })}
      />
      <div className={`split alertsplit ${open !== null ? "" : groups.length > 0 ? "none-open" : "nothing"}`}>
        {!(narrow && open !== null) && (
          <section className="list" aria-label={text.alerts.list}>
            <Waiting query={names.before(alerts)} rows={6} tall />
            {alerts.data && groups.length === 0 && empty && <Empty title={empty} />}
            <HeldLine held={held} onShow={showNewer} />
            <VirtualList
              handle={list}
              onTop={setAtTop}
              label={text.alerts.list}
              count={names.ready ? groups.length : 0}
              rowHeight={56}
              keyOf={(i) => groups[i]?.newest.id ?? String(i)}
              selected={groups.findIndex((group) => group.newest.id === open)}
              onOpen={(i) => show(groups[i]?.newest.id ?? null)}
              follow={open !== null}
              render={(i) => {
                const group = groups[i];
                return group && <AlertRow group={group} apps={names.apps} showState={state === "all"} />;
              }}
            />
          </section>
        )}
        {open !== null ? (
          <AlertDetail key={open} id={open} onClose={() => show(null)} />
        ) : (
          groups.length > 0 && !narrow && <p className="det hint muted">{text.alerts.choose}</p>
        )}
      </div>
    </>
  );
}

/** What the search looks through: what stands in the row. */
function wordsOf({ newest }: AlertGroup, apps: App[] | undefined): string {
  const { title, signature, method, target, upstream_name, verdict, app } = newest;
  return [title, signature, method, target, upstream_name, verdict, appName(apps, app)]
    .join(" ")
    .toLowerCase();
}

/** How many Alerts came in since the page was opened: the one polite line for screen readers. */
function useNews(): number {
  const [count, setCount] = useState(0);
  const seen = useRef(new Set<string>());
  useEffect(
    () =>
      onLive((event) => {
        if (event.kind !== "exchange" && event.kind !== "exchange_updated") return;
        if (event.row.verdict === "allow" || seen.current.has(event.row.id)) return;
        seen.current.add(event.row.id);
        setCount(seen.current.size);
      }),
    [],
  );
  return count;
}
