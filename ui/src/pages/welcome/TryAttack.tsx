// The drill, without leaving the first run.
import { useDrill } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import { DrillTable } from "../drill/DrillTable";
import { useRunDrill } from "../overview/actions";

const t = text.welcome;

export function TryAttack({ onBack, onDone }: { onBack: () => void; onDone: () => void }) {
  const report = useDrill().data ?? null;
  const run = useRunDrill();
  const writable = useWritable();
  const running = report?.running === true || run.isPending;
  const caught = report?.rows.filter((row) => row.caught).length ?? 0;
  return (
    <>
      <div className="stepmain">
        <h1 tabIndex={-1}>{t.attack.title}</h1>
        <p className="muted prose">{text.drill.lead}</p>
        {run.isError && <Failure error={run.error} />}
        <div className="row">
          <Button
            look={report === null ? "solid" : ""}
            off={!writable || running}
            onClick={() => run.mutate()}
          >
            <Icon name="drill" />
            {running ? text.overview.drilling : report === null ? text.drill.run : text.drill.again}
          </Button>
          {report && !running && (
            <b role="status" className="num">
              {text.drill.result(caught, report.rows.length)}
            </b>
          )}
        </div>
        {report && (
          <section className="card" aria-label={text.drill.table}>
            <DrillTable rows={report.rows} running={report.running} />
          </section>
        )}
      </div>
      <footer className="stepfoot">
        <Button onClick={onBack}>
          <Icon name="back" />
          {text.ask.back}
        </Button>
        <span className="grow" />
        <Button look={report === null ? "" : "solid"} onClick={onDone}>
          {t.finish}
        </Button>
      </footer>
    </>
  );
}
