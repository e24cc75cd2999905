// Order and choice among Findings and Trail rows. Pure.
import type { ExchangeRow, Finding, Severity, Verdict } from "../types";

const VERDICTS: Verdict[] = ["allow", "flag", "redact", "ask", "block"];
const SEVERITIES: Severity[] = ["low", "medium", "high", "critical"];

export function strongestFirst(findings: Finding[]): Finding[] {
  const weight = (finding: Finding) =>
    VERDICTS.indexOf(finding.verdict) * 10 + SEVERITIES.indexOf(finding.severity);
  return [...findings].sort((a, b) => weight(b) - weight(a));
}

/** Oldest first; a row's distance to the open one as `+2 s`. */
export function distance(row: ExchangeRow, from: number): string {
  const seconds = (row.at - from) / 1000;
  const sign = seconds < 0 ? "−" : "+";
  const size = Math.abs(seconds);
  if (size < 10) return `${sign}${size.toFixed(1).replace(/\.0$/, "")} s`;
  if (size < 120) return `${sign}${Math.round(size)} s`;
  return `${sign}${Math.round(size / 60)} min`;
}
