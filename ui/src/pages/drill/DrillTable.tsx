// Rows are attacks, columns Transports; each cell says what became of it and leads to the Exchange.
import { Icon } from "../../parts/Icon";
import { Link } from "../../parts/Link";
import { VerdictMark } from "../../parts/Verdict";
import { text } from "../../text";
import type { DrillRow, Transport } from "../../types";

const TRANSPORTS: Transport[] = ["stdio", "sse", "streamable_http"];

export function DrillTable({ rows, running }: { rows: DrillRow[]; running: boolean }) {
  const attacks = [...new Map(rows.map((row) => [row.attack, row.description]))];
  const columns = TRANSPORTS.filter(
    (transport) => running || rows.some((row) => row.transport === transport),
  );
  return (
    <div className="scrollx">
      <table className="drill">
        <thead>
          <tr>
            <th scope="col">{text.drill.attack}</th>
            {columns.map((transport) => (
              <th key={transport} scope="col" className="mono">
                {text.transport[transport]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {attacks.map(([attack, description]) => (
            <tr key={attack}>
              <th scope="row">
                <div className="attack mono">{attack}</div>
                <div className="small muted wrapping">{description}</div>
              </th>
              {columns.map((transport) => (
                <td key={transport}>
                  <Cell row={rows.find((row) => row.attack === attack && row.transport === transport)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ row }: { row: DrillRow | undefined }) {
  if (!row)
    return (
      <span className="faint" title={text.drill.notTried}>
        {text.drill.none}
      </span>
    );
  const words = (
    <>
      {row.caught ? (
        <VerdictMark verdict={row.verdict} />
      ) : (
        <span className="verdict">
          <Icon name="triangle" />
          {text.drill.missed}
        </span>
      )}
      {row.signature !== null && <span className="tiny faint mono sig">{row.signature}</span>}
    </>
  );
  const className = `drillcell ${row.caught ? "" : "missed"}`;
  if (row.exchange === null) return <span className={className}>{words}</span>;
  return (
    <Link className={`plain ${className}`} to={{ page: "traffic", open: row.exchange }}>
      {words}
    </Link>
  );
}
