// One Traffic row and the sticky header above them.
import { memo } from "react";
import { clock, fullWhen, ms, rowWhen } from "../../lib/time";
import { AppLetter, appName } from "../../parts/AppBadge";
import { Name } from "../../parts/Hostile";
import { Prose } from "../../parts/Prose";
import { OutcomeMark, VerdictMark } from "../../parts/Verdict";
import { text } from "../../text";
import type { App } from "../../types";
import { isGap, type TrafficRow } from "./useTraffic";

export function TrafficHeader() {
  const { columns } = text.traffic;
  return (
    <div className="trow thead" role="row">
      <span role="columnheader">{columns.time}</span>
      <span role="columnheader">{columns.server}</span>
      <span role="columnheader">{columns.method}</span>
      <span role="columnheader">{columns.verdict}</span>
      <span role="columnheader" className="right">
        {columns.ms}
      </span>
    </div>
  );
}

type RowProps = { row: TrafficRow; apps: App[] | undefined; tight: boolean };

export const RowView = memo(function RowView({ row, apps, tight }: RowProps) {
  if (isGap(row)) {
    return (
      <div className="gaprow small muted" role="gridcell">
        {text.traffic.gap(row.gap, clock(row.at))}
      </div>
    );
  }
  const app = appName(apps, row.app);
  return (
    <div className="trow" role="none">
      <span role="gridcell" className="num faint small" title={fullWhen(row.at)}>
        {rowWhen(row.at, Date.now())}
      </span>
      <span role="gridcell" className="small wi ell">
        <AppLetter name={app} small />
        <span className="vh">{app}</span>
        <span className="ell">
          <Name value={row.upstream_name} />
        </span>
      </span>
      <span role="gridcell" className="ell">
        {row.direction === "to_client" && (
          <span className="faint" title={text.traffic.byServer}>
            ←<span className="vh">{text.traffic.byServer}</span>{" "}
          </span>
        )}
        <Name value={row.target ?? row.method} limit={tight ? 28 : undefined} />
        {row.target !== null && row.method !== "tools/call" && (
          <span className="faint tiny mono"> {row.method}</span>
        )}
        <span className="outcome">
          <OutcomeMark row={row} />
        </span>
        {row.title !== null && (
          <span className="found small muted">
            {" "}
            <Prose words={row.title} />
          </span>
        )}
      </span>
      <span role="gridcell">
        <VerdictMark verdict={row.verdict} />
      </span>
      <span role="gridcell" className="num right small faint">
        {row.duration_us === null || row.outcome === "rejected" ? text.drill.none : ms(row.duration_us)}
      </span>
    </div>
  );
});
