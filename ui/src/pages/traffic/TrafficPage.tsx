// Traffic: every Exchange, newest first; filter on the server, detail beside the list, live rows that wait for readers.
import { useCallback, useMemo, useRef, useState } from "react";
import { useNames } from "../../api/queries";
import { type Filter, fromSearch, isEmpty, toApiParams, toSearch } from "../../lib/filter";
import { useNarrow } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { prefs, rowHeight } from "../../lib/prefs";
import { navigate, useRoute } from "../../lib/route";
import { useStore } from "../../lib/store";
import { Button } from "../../parts/controls";
import { ExportMenu } from "../../parts/ExportMenu";
import { HeldLine } from "../../parts/HeldLine";
import { Empty, Waiting } from "../../parts/states";
import { type ListHandle, VirtualList } from "../../parts/VirtualList";
import { text } from "../../text";
import { FilterBar } from "./FilterBar";
import { RowView, TrafficHeader } from "./RowView";
import { TrafficDetail } from "./TrafficDetail";
import { isGap, useTraffic } from "./useTraffic";

export function TrafficPage() {
  const { search, open } = useRoute();
  const filter = useMemo(() => fromSearch(search), [search]);
  const [atTop, setAtTop] = useState(true);
  const list = useRef<ListHandle>(null);
  const traffic = useTraffic(filter, !atTop || open !== null);
  const { query, rows, held, showHeld } = traffic;
  const names = useNames();
  const narrow = useNarrow();
  const { density } = useStore(prefs);

  const show = useCallback(
    (id: string | null) =>
      navigate({ page: "traffic", search: toSearch(filter), open: id }, open === null ? "push" : "replace"),
    [filter, open],
  );
  const change = (next: Filter) => {
    setAtTop(true);
    list.current?.toTop();
    navigate({ page: "traffic", search: toSearch(next), open: null }, "replace");
  };
  const showNewer = () => {
    showHeld();
    list.current?.toTop();
  };
  useKeys({
    ".": () => (held > 0 ? showNewer() : false),
    Escape: () => {
      if (open !== null) show(null);
      else if (!isEmpty(filter)) change({});
      else return false;
    },
  });
  const total = traffic.total ?? -1;
  return (
    <>
      <header className="top">
        <h1 className="grow">
          {text.pages.traffic}{" "}
          {traffic.loaded && (
            <span className="faint small plainweight num">{text.traffic.count(traffic.total)}</span>
          )}
        </h1>
        <ExportMenu filter={() => toApiParams(filter, Date.now())} />
      </header>
      <FilterBar filter={filter} apps={names.apps} onChange={change} />
      <div className={`split trafficsplit ${open === null ? "none-open" : ""}`}>
        {!(narrow && open !== null) && (
          <section className="list" aria-label={text.traffic.list}>
            <HeldLine held={held} more={traffic.more} onShow={showNewer} />
            <Waiting query={names.before(query)} rows={14} />
            {query.data && rows.length === 0 && (
              <NoRows filtered={!isEmpty(filter)} clear={() => change({})} />
            )}
            <VirtualList
              label={text.traffic.list}
              handle={list}
              count={names.ready ? rows.length : 0}
              rowCount={total}
              rowHeight={rowHeight(density)}
              keyOf={(i) => rows[i]?.id ?? String(i)}
              selected={open === null ? -1 : rows.findIndex((row) => row.id === open)}
              follow={open !== null}
              onOpen={(i) => {
                const row = rows[i];
                if (row && !isGap(row)) show(row.id);
              }}
              onTop={setAtTop}
              onNearEnd={() => query.hasNextPage && !query.isFetchingNextPage && void query.fetchNextPage()}
              header={names.ready && rows.length > 0 && <TrafficHeader />}
              render={(i) => {
                const row = rows[i];
                return row && <RowView row={row} apps={names.apps} tight={open !== null} />;
              }}
            />
          </section>
        )}
        {open !== null && <TrafficDetail key={open} id={open} onClose={() => show(null)} />}
      </div>
    </>
  );
}

function NoRows({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  if (!filtered) return <Empty title={text.traffic.none} />;
  return (
    <Empty title={text.traffic.empty}>
      <Button small onClick={clear}>
        {text.traffic.clear} <kbd>Esc</kbd>
      </Button>
    </Empty>
  );
}
