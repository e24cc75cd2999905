// Every English sentence of the dashboard. Components hold no prose of their own, so wording is changed in one place: a
// file for each page, all of them one catalogue here. Words follow the README's table; counts are digits; no exclamation
// marks.
import type { Outcome, Severity, Transport, Verdict } from "../types";
import { appsText, previewText, signInText } from "./apps";
import {
  askText,
  budgetText,
  decisionsText,
  exceptionText,
  modeText,
  replayText,
  scopeText,
} from "./decisions";
import { alertsText, detailText, exportsText, reportText, trafficText } from "./exchanges";
import { judgesText } from "./judges";
import { overviewText } from "./overview";
import { pinsText } from "./pins";
import { keysText, keysTitleText, settingsText } from "./settings";
import { signaturesText } from "./signatures";
import { barsText, observedText, statusText } from "./status";
import { drillText, pairText, welcomeText } from "./welcome";
import { number, plural } from "./words";

export { number };

export const text = {
  product: "Portcullis",
  pages: {
    overview: "Overview",
    alerts: "Alerts",
    traffic: "Traffic",
    apps: "Apps",
    signatures: "Signatures",
    decisions: "Decisions",
    settings: "Settings",
    drill: "Drill",
    ask: "Questions",
    pins: "Definitions",
    report: "Report",
    welcome: "First run",
  },
  nav: { label: "Pages", back: "Back", skip: "Skip to content", linkCopied: "Link copied" },
  verdict: { allow: "Allow", flag: "Flag", redact: "Redact", ask: "Ask", block: "Block" } satisfies Record<
    Verdict,
    string
  >,
  outcome: {
    forwarded: "Forwarded",
    redacted: "Redacted",
    rejected: "Rejected",
    failed: "Failed",
    through: "Went through",
  } satisfies Record<Outcome | "through", string>,
  severity: { low: "Low", medium: "Medium", high: "High", critical: "Critical" } satisfies Record<
    Severity,
    string
  >,
  severityOf: (word: string) => `${word} severity`,
  transport: {
    stdio: "stdio",
    sse: "sse",
    streamable_http: "streamable_http",
  } satisfies Record<Transport, string>,
  status: statusText,
  bars: barsText,
  overview: overviewText,
  observed: observedText,
  alerts: alertsText,
  traffic: trafficText,
  detail: detailText,
  signIn: signInText,
  apps: appsText,
  preview: previewText,
  signatures: signaturesText,
  settings: settingsText,
  keys: keysText,
  keysTitle: keysTitleText,
  goTo: {
    title: "Go to anything",
    placeholder: "Page, app, server or Signature",
    none: "Nothing by that name.",
  },
  drill: drillText,
  pair: pairText,
  errors: {
    unreachable: "Portcullis' engine does not answer.",
    odd: (status: number) => `Portcullis answered with something this page cannot read (HTTP ${status}).`,
    retry: "Retry",
    going: "Checking goes on.",
  },
  time: {
    now: "just now",
    seconds: (n: number) => `${n} s ago`,
    minutes: (n: number) => `${n} min ago`,
    hours: (n: number) => `${n} h ago`,
    days: (n: number) => `${plural(n, "day")} ago`,
    yesterday: "yesterday",
    at: (clock: string) => `at ${clock}`,
    on: (day: string) => `on ${day}`,
  },
  bytes: { b: (n: number) => plural(n, "byte"), kb: (n: string) => `${n} kB`, mb: (n: string) => `${n} MB` },
  exports: exportsText,
  report: reportText,
  welcome: welcomeText,
  judges: judgesText,
  pins: pinsText,
  ask: askText,
  decisions: decisionsText,
  scope: scopeText,
  replay: replayText,
  exception: exceptionText,
  budget: budgetText,
  mode: modeText,
  /** What a button does, and to which: for who hears it without what stands around it. */
  labelOf: (what: string, which: string) => `${what}: ${which}`,
};
