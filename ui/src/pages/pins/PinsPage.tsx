// Definitions: what waits for a review first; the open one as a diff beside the list.
import { useApps, usePins } from "../../api/queries";
import { useNarrow } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { navigate, useRoute } from "../../lib/route";
import { appName } from "../../parts/AppBadge";
import { Button, Tabs } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Empty, Waiting } from "../../parts/states";
import { VirtualList } from "../../parts/VirtualList";
import { number, text } from "../../text";
import type { App, PinRow } from "../../types";
import { PinDetail } from "./PinDetail";

const t = text.pins;
const STATES = ["review", "changed", "all"] as const;
type State = (typeof STATES)[number];

export default function PinsPage() {
  const { search, open } = useRoute();
  const params = new URLSearchParams(search);
  const upstream = params.get("upstream");
  const state: State =
    STATES.find((known) => known === params.get("state")) ?? (upstream === null ? "review" : "all");
  const pins = usePins(state, upstream);
  const apps = useApps().data;
  const narrow = useNarrow();
  const rows = pins.data?.pins ?? [];
  const show = (id: string | null) =>
    navigate({ page: "pins", search, open: id }, open === null ? "push" : "replace");
  const choose = (next: State) => {
    const to = new URLSearchParams({ state: next });
    if (upstream !== null) to.set("upstream", upstream);
    navigate({ page: "pins", search: to.toString() });
  };
  useKeys({ Escape: () => (open === null ? false : show(null)) });
  const counts = { review: pins.data?.held, changed: pins.data?.changed, all: pins.data?.all };
  return (
    <>
      <header className="top">
        <div className="grow">
          <h1>
            {t.title}{" "}
            {upstream !== null && rows[0] && (
              <span className="small plainweight">
                <Name value={rows[0].upstream_name} />
              </span>
            )}
          </h1>
          <p className="small muted">{t.lead}</p>
        </div>
        {upstream !== null && (
          <Button small onClick={() => navigate({ page: "pins", search: `state=${state}` })}>
            {t.clear}
          </Button>
        )}
      </header>
      <Tabs
        label={t.tabsLabel}
        value={state}
        options={STATES.map((value) => ({
          value,
          label: (
            <>
              {t.tabs[value]}{" "}
              {counts[value] !== undefined && <span className="faint num">{number(counts[value])}</span>}
            </>
          ),
        }))}
        onChange={choose}
      />
      <div className={`split alertsplit ${open !== null ? "" : rows.length > 0 ? "none-open" : "nothing"}`}>
        {!(narrow && open !== null) && (
          <section className="list" aria-label={t.list}>
            <Waiting query={pins} rows={6} tall />
            {pins.data && rows.length === 0 && <Empty title={t.empty[state]} />}
            <VirtualList
              label={t.list}
              count={rows.length}
              rowHeight={56}
              keyOf={(i) => rows[i]?.id ?? String(i)}
              selected={rows.findIndex((row) => row.id === open)}
              onOpen={(i) => show(rows[i]?.id ?? null)}
              follow={open !== null}
              render={(i) => {
                const row = rows[i];
                return row && <Row row={row} apps={apps} />;
              }}
            />
          </section>
        )}
        {open !== null ? (
          <PinDetail key={open} id={open} onClose={() => show(null)} />
        ) : (
          rows.length > 0 && !narrow && <p className="det hint muted">{t.choose}</p>
        )}
      </div>
    </>
  );
}

function Row({ row, apps }: { row: PinRow; apps: App[] | undefined }) {
  return (
    <div className="pinrow" role="none">
      <div role="gridcell" className="grow ell">
        <div className="ell">
          <Name value={row.name} /> <span className="faint small">{t.kind[row.kind]}</span>
        </div>
        <div className="l2 ell">
          {appName(apps, row.app)} {text.detail.arrow} <Name value={row.upstream_name} />
        </div>
      </div>
      <span role="gridcell" className="row">
        {row.drift && (
          <span className={`chip ${row.drift.grade === "quiet" ? "" : "loud"}`}>
            {t.mark[row.drift.grade]}
          </span>
        )}
        {row.quarantine !== null && <span className="chip loud">{t.held}</span>}
      </span>
    </div>
  );
}
