// One Exchange in four tabs. The tab one chose stays while moving through rows; else the one with a Finding opens.
import { useState } from "react";
import { useExchange, useNames } from "../../api/queries";
import { DecodedPart, FindingHeads, FindingList } from "../../exchange/Findings";
import { Head } from "../../exchange/Head";
import { OriginalPart } from "../../exchange/OriginalPart";
import { MessagePart } from "../../exchange/Parts";
import { Trail } from "../../exchange/Trail";
import { useKeys } from "../../lib/keys";
import { sideOf } from "../../lib/marks";
import { strongestFirst } from "../../lib/session";
import { Tabs } from "../../parts/controls";
import { Waiting } from "../../parts/states";
import { text } from "../../text";
import type { Exchange, ExchangeDetail } from "../../types";

type Tab = keyof typeof text.detail.tabs;
const TABS = Object.keys(text.detail.tabs) as Tab[];
let lastChosen: Tab | null = null;

export function TrafficDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const detail = useExchange(id);
  const names = useNames();
  const [tab, setTab] = useState<Tab | null>(lastChosen);
  const choose = (next: Tab) => {
    lastChosen = next;
    setTab(next);
  };
  const shown = tab ?? (detail.data ? firstTab(detail.data.exchange) : "request");
  const step = (by: number) =>
    choose(TABS[(TABS.indexOf(shown) + by + TABS.length) % TABS.length] ?? "request");
  useKeys({ "[": () => step(-1), "]": () => step(1) });
  const close = () => {
    lastChosen = null;
    onClose();
  };
  return (
    <aside className="det" aria-label={text.traffic.detail}>
      <Waiting query={names.before(detail)} rows={5} />
      {names.ready && detail.data && (
        <>
          <Head exchange={detail.data.exchange} onClose={close} />
          <Tabs
            label={text.detail.tabsLabel}
            value={shown}
            onChange={choose}
            options={TABS.map((value) => ({ value, label: label(value, detail.data.exchange) }))}
          />
          <div className="body" role="tabpanel" aria-label={text.detail.tabs[shown]}>
            <Content tab={shown} detail={detail.data} />
          </div>
        </>
      )}
    </aside>
  );
}

function firstTab({ findings }: Exchange): Tab {
  const strongest = strongestFirst(findings)[0];
  return strongest ? sideOf(strongest) : "request";
}

function label(tab: Tab, { findings }: Exchange): string {
  const name = text.detail.tabs[tab];
  return tab === "findings" && findings.length > 0 ? `${name} ${findings.length}` : name;
}

function Content({ tab, detail }: { tab: Tab; detail: ExchangeDetail }) {
  const { exchange } = detail;
  if (tab === "trail") return <Trail trail={detail.trail} exchange={exchange} />;
  const findings = strongestFirst(exchange.findings);
  if (tab === "findings") return <FindingList findings={findings} explanations={detail.explanations} />;
  const here = findings.filter((finding) => sideOf(finding) === tab);
  return (
    <>
      <FindingHeads findings={here} />
      <MessagePart key={tab} exchange={exchange} side={tab} seek />
      {detail.has_original && <OriginalPart key={exchange.id} id={exchange.id} />}
      {here.map(
        (finding) => finding.decoded && <DecodedPart key={finding.decoded.text} decoded={finding.decoded} />,
      )}
    </>
  );
}
