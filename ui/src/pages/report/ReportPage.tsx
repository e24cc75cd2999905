// The report of one Alert, made for paper: what happened, what was found, what was done, and what came before and after.
import { useExchange, useNames, useStatus } from "../../api/queries";
import { DecodedPart } from "../../exchange/Findings";
import { Route, throughWords } from "../../exchange/Head";
import { MessagePart } from "../../exchange/Parts";
import { Trail } from "../../exchange/Trail";
import { useKeys } from "../../lib/keys";
import { sideOf } from "../../lib/marks";
import { readablePath } from "../../lib/path";
import { navigate, useRoute } from "../../lib/route";
import { strongestFirst } from "../../lib/session";
import { fullWhen } from "../../lib/time";
import { Button } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Prose } from "../../parts/Prose";
import { Empty, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { App, ExchangeDetail } from "../../types";

const t = text.report;

export default function ReportPage() {
  const { open } = useRoute();
  if (open === null) return <Empty title={t.none} />;
  return <Report id={open} />;
}

function Report({ id }: { id: string }) {
  const detail = useExchange(id);
  const { apps, ready, before } = useNames();
  const back = () => navigate({ page: "alerts", search: "state=all", open: id });
  useKeys({ Escape: back });
  return (
    <>
      <div className="top noprint">
        <Button onClick={back}>
          <Icon name="back" />
          {text.nav.back}
        </Button>
        <span className="grow" />
        <Button look="solid" off={!detail.data} onClick={() => window.print()}>
          {t.print}
        </Button>
      </div>
      <div className="page">
        <Waiting query={before(detail)} rows={8} />
        {ready && detail.data && <Paper detail={detail.data} apps={apps} />}
      </div>
    </>
  );
}

function Paper({ detail, apps }: { detail: ExchangeDetail; apps: App[] | undefined }) {
  const { exchange, review } = detail;
  const status = useStatus().data;
  const findings = strongestFirst(exchange.findings);
  const sides = (["request", "response"] as const).filter((side) =>
    findings.some((one) => sideOf(one) === side),
  );
  const decoded = new Map(findings.flatMap((one) => (one.decoded ? [[one.decoded.text, one.decoded]] : [])));
  const facts: [string, React.ReactNode][] = [
    [t.when, fullWhen(exchange.at)],
    [t.who, <Route key="who" row={exchange} apps={apps} full />],
    [t.how, `${exchange.method || "–"}, ${text.transport[exchange.transport]}`],
    [
      t.verdict,
      `${text.verdict[exchange.verdict]}, ${text.outcome[exchange.outcome].toLowerCase()}. ${throughWords(exchange) ?? ""}`,
    ],
    [
      t.review,
      review ? text.alerts.reviewed(text.alerts.reviewAs[review.reason], fullWhen(review.at)) : t.notReviewed,
    ],
    [t.id, <code key="id">{exchange.id}</code>],
  ];
  return (
    <article className="paper">
      <header>
        <h1>{t.title}</h1>
        <p className="small muted">{t.by(status?.version ?? "", fullWhen(Date.now()))}</p>
      </header>
      <dl className="kv">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <section>
        <h2>{t.found}</h2>
        <table className="found-table">
          <tbody>
            {findings.map((finding, i) => (
              <tr key={`${finding.signature}${finding.json_path}${i}`}>
                <td>{text.severity[finding.severity]}</td>
                <td>
                  <Prose words={finding.title} />
                  <div className="small faint">
                    <code>
                      {finding.signature} {text.signatures.version(finding.version)}
                    </code>{" "}
                    {text.detail.at}{" "}
                    {finding.json_path === "" ? (
                      text.detail.wholeMessage
                    ) : (
                      <Name value={readablePath(finding.json_path)} full />
                    )}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section>
        <h2>{t.message}</h2>
        {(sides.length > 0 ? sides : (["request"] as const)).map((side) => (
          <MessagePart key={side} exchange={exchange} side={side} around={2} unfolded={16} />
        ))}
        {[...decoded.values()].map((part) => (
          <DecodedPart key={part.text} decoded={part} />
        ))}
      </section>
      {detail.explanations.length > 0 && (
        <section>
          <h2>{text.alerts.why}</h2>
          {detail.explanations.map((one) => (
            <p key={one.signature} className="small">
              <b>{one.signature}.</b> <Prose words={one.description} /> <Prose words={one.advice} />
            </p>
          ))}
        </section>
      )}
      <section>
        <h2>{text.alerts.trail}</h2>
        <Trail trail={detail.trail} exchange={exchange} />
      </section>
      <p className="tiny faint">{t.masked}</p>
    </article>
  );
}
