// The part of the catalogue about Signatures; `index.ts` takes it in.
import { number, plural } from "./words";

export const signaturesText = {
  summary: (all: number, categories: number, on: number, yours: number) =>
    `${plural(all, "Signature")} in ${plural(categories, "category", "categories")}, ${number(on)} on.${yours ? ` ${number(yours)} ${yours === 1 ? "is" : "are"} yours.` : ""}`,
  list: "Signatures",
  find: "Find a Signature",
  hits: "hits, 30 d",
  off: "off",
  yours: "yours",
  on: "On",
  toggle: (id: string) => `Use ${id}`,
  version: (version: number) => `version ${version}`,
  asks: "The harm would be grave, so in a call or its answer you are asked first (mode Ask), or it is blocked (mode Block).",
  advice: "What to do when it matches",
  hit: "Hit: it must match this",
  miss: "Miss: it must leave this alone",
  falseAlarms: "Known false alarms",
  references: "References",
  source: "Source file",
  hideSource: "Hide source",
  choose: "Choose a Signature to see what it looks for.",
  detail: "Signature detail",
  empty: "No Signature matches.",
  builtIn: "This is a built-in check, not a Signature file. It is always on.",
  faults: (count: number) =>
    `${plural(count, "Signature file")} could not be used. The last good version stays in force.`,
  line: (line: number) => `line ${line}`,
  showAlerts: (hits: number) => `Its Alerts (${plural(hits, "hit")} in 30 days)`,
  showDecisions: "Decisions about it",
  categories: {
    "hidden-text": "Hidden text",
    "hidden-unicode": "Hidden text",
    "personal-data": "Personal data",
    ssrf: "Internal addresses",
  } as Record<string, string>,
};
