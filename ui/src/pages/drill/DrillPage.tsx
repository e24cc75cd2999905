// The drill: a table attack × Transport × caught, filling while it runs.
import { useDrill } from "../../api/queries";
import { useNow, useWritable } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { navigate } from "../../lib/route";
import { shortWhen } from "../../lib/time";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Empty, Failure, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { DrillReport } from "../../types";
import { useRunDrill } from "../overview/actions";
import { DrillTable } from "./DrillTable";

export function DrillPage() {
  const drill = useDrill();
  const run = useRunDrill();
  const writable = useWritable();
  const report = drill.data ?? null;
  const running = report?.running === true;
  useKeys({ Escape: () => navigate({ page: "overview" }) });
  return (
    <>
      <header className="top">
        <div className="grow">
          <h1>{text.drill.title}</h1>
          <p className="muted small">{text.drill.lead}</p>
        </div>
        <Button
          look={report === null ? "solid" : ""}
          off={!writable || running || run.isPending}
          onClick={() => run.mutate()}
        >
          <Icon name="drill" />
          {running ? text.overview.drilling : report === null ? text.drill.run : text.drill.again}
        </Button>
      </header>
      <div className="page">
        {run.isError && <Failure error={run.error} />}
        {drill.data === undefined && <Waiting query={drill} rows={8} tall />}
        {report === null && drill.data === null && !run.isPending && (
          <Empty title={text.drill.empty}>
            <p className="muted small">{text.drill.emptyMore}</p>
          </Empty>
        )}
        {report && <Result report={report} />}
      </div>
    </>
  );
}

function Result({ report }: { report: DrillReport }) {
  const now = useNow(30_000);
  const caught = report.rows.filter((row) => row.caught).length;
  const attacks = new Set(report.rows.map((row) => row.attack)).size;
  return (
    <section className="card" aria-label={text.drill.table}>
      <header>
        <h2 className="grow" role="status">
          {report.running ? text.drill.running(attacks) : text.drill.result(caught, report.rows.length)}
        </h2>
        <span className="small faint num">{text.drill.at(shortWhen(report.at, now))}</span>
      </header>
      {report.error !== null && (
        <p className="small below">
          <b>{text.drill.failed}</b> {report.error}
        </p>
      )}
      <DrillTable rows={report.rows} running={report.running} />
    </section>
  );
}
