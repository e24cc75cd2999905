// What came before and after in the same Session, oldest first, the open Exchange in between.
import { distance } from "../lib/session";
import { Name } from "../parts/Hostile";
import { Link } from "../parts/Link";
import { VerdictMark } from "../parts/Verdict";
import { text } from "../text";
import type { Exchange, ExchangeRow } from "../types";

export function Trail({ trail, exchange }: { trail: ExchangeRow[]; exchange: Exchange }) {
  const others = trail
    .filter((row) => row.id !== exchange.id)
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  if (others.length === 0) return <p className="small muted">{text.detail.noTrail}</p>;
  const before = others.filter(
    (row) => row.at < exchange.at || (row.at === exchange.at && row.id < exchange.id),
  );
  const after = others.filter((row) => !before.includes(row));
  return (
    <ol className="trail small">
      {before.map((row) => (
        <Step key={row.id} row={row} from={exchange.at} />
      ))}
      <li className="self">
        <span className="grow ell">
          <Name value={exchange.target ?? exchange.method} />{" "}
          <span className="faint">{text.detail.trailSelf}</span>
        </span>
        <VerdictMark verdict={exchange.verdict} />
        <span className="num faint when">0 s</span>
      </li>
      {after.map((row) => (
        <Step key={row.id} row={row} from={exchange.at} />
      ))}
    </ol>
  );
}

function Step({ row, from }: { row: ExchangeRow; from: number }) {
  return (
    <li>
      <Link className="plain grow ell" to={{ page: "traffic", open: row.id }}>
        <Name value={row.upstream_name} /> / <Name value={row.target ?? row.method} />
      </Link>
      <VerdictMark verdict={row.verdict} />
      <span className="num faint when">{distance(row, from)}</span>
    </li>
  );
}
