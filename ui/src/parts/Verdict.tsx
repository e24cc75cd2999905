// Verdict, Outcome and severity as glyph, word and (for Verdicts only) colour.
import { text } from "../text";
import type { ExchangeRow, Severity, Verdict } from "../types";
import { Icon } from "./Icon";

/** Allow is printed plain and grey, because nearly every row is Allow. */
export function VerdictMark({ verdict, pill = false }: { verdict: Verdict; pill?: boolean }) {
  if (verdict === "allow") {
    return <span className={`verdict ${pill ? "pill v-off" : "quiet-allow"}`}>{text.verdict.allow}</span>;
  }
  return (
    <span className={`verdict v-${verdict} ${pill ? "pill" : ""}`}>
      <Icon name={verdict} />
      {text.verdict[verdict]}
    </span>
  );
}

/** What the Verdict alone would let one take for the opposite: a Block that went through, an Allow that failed. */
export function OutcomeMark({ row }: { row: Pick<ExchangeRow, "verdict" | "outcome"> }) {
  if (row.outcome === "failed") return <span className="chip">{text.outcome.failed}</span>;
  if (row.verdict !== "block" || row.outcome !== "forwarded") return null;
  return <span className="chip loud">{text.outcome.through}</span>;
}

const HEIGHT: Record<Severity, number> = { low: 1, medium: 2, high: 3, critical: 4 };

export function SeverityBars({ severity, word = false }: { severity: Severity; word?: boolean }) {
  return (
    <>
      <Bars severity={severity} />
      {word ? (
        <span className="small muted">{text.severity[severity]}</span>
      ) : (
        <span className="vh">{text.severityOf(text.severity[severity])}</span>
      )}
    </>
  );
}

/** Only where the word stands beside it. */
export function Bars({ severity }: { severity: Severity }) {
  return (
    <span className="sev" aria-hidden="true">
      {[1, 2, 3, 4].map((bar) => (
        <i key={bar} className={bar <= HEIGHT[severity] ? "on" : undefined} />
      ))}
    </span>
  );
}
