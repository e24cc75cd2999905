// The part of the catalogue about the state of protection, on every page; `index.ts` takes it in.
import type { Observed } from "../types";
import { number, plural } from "./words";

export const statusText = {
  off: "No app is protected",
  offMore: "Nothing is checked until you protect an app.",
  seen: (seen: number, total: number) =>
    seen === 0
      ? (total === 1 ? "Your server" : `None of your ${number(total)} servers`) +
        (total === 1 ? " was not" : " was") +
        " seen going through Portcullis yet"
      : `${number(seen)} of ${plural(total, "server")} ${seen === 1 ? "is" : "are"} seen going through Portcullis`,
  none: "No MCP servers found on this computer",
  unreadable: "What went through cannot be read now",
  unreadableMore:
    "Checking goes on. If it stays like this, restart Portcullis: a damaged log is set aside and a new one begun.",
  unknown: "Log not readable",
  paused: (until: string | null) =>
    until ? `Paused until ${until}, nothing is blocked` : "Paused until you resume, nothing is blocked",
  watching: (seen: number, total: number) => `Watching ${number(seen)} of ${plural(total, "server")}`,
  past: (count: number) => (count === 0 ? "" : `, ${number(count)} bypassing`),
  shortOff: "No app is protected",
  shortPaused: (until: string | null) => (until ? `Paused until ${until}` : "Paused until you resume"),
  unreachable: "Engine not running",
  loading: "Reading the status",
  lastMessage: (ago: string) => `Last message ${ago}`,
  noMessage: "No message yet",
  bypassing: (count: number) =>
    `An app runs ${plural(count, "server")} past Portcullis: ${count === 1 ? "its" : "their"} Messages are not checked.`,
  restart: (count: number) =>
    `${plural(count, "server")} ${count === 1 ? "waits" : "wait"} until the app starts again.`,
  waits: (count: number) => `${plural(count, "server")} ${count === 1 ? "was" : "were"} not seen yet.`,
  queued: (count: number) =>
    `${plural(count, "change")} ${count === 1 ? "waits" : "wait"} until the app has quit.`,
  notCovered: (count: number) => `${number(count)} ${count === 1 ? "is" : "are"} not covered.`,
  edited: (count: number) =>
    `${plural(count, "entry", "entries")} ${count === 1 ? "was" : "were"} edited outside Portcullis.`,
  failing: (count: number) => `${number(count)} ${count === 1 ? "is" : "are"} failing.`,
  quarantined: (count: number) => `${number(count)} ${count === 1 ? "is" : "are"} quarantined.`,
  seeApps: "See Apps",
};

export const barsText = {
  paused: (until: string | null) =>
    until
      ? `Paused until ${until}. Calls are recorded, nothing is blocked.`
      : "Paused until you resume. Calls are recorded, nothing is blocked.",
  resume: "Resume",
  unreachable:
    "Portcullis' engine does not answer. stdio servers are still checked by the shim. URL servers do not work until it is back.",
  start: "Start it with",
  asOf: (time: string) => `What you see is as of ${time}.`,
  loosened: (time: string) => `Protection was loosened at ${time}:`,
  looks: "Not you? Set it back, and look at what runs on this computer.",
  dismiss: "I know",
};

export const observedText = {
  seen: (ago: string) => `seen ${ago}`,
  idle: (ago: string) => `idle, last seen ${ago}`,
  since: (when: string) => `first noticed ${when}`,
  label: {
    seen: "Seen",
    not_yet_seen: "Not protected yet",
    quarantined: "Withheld",
    waiting: "Waits for the app",
    bypassing: "Bypassing",
    queued: "Queued",
    not_covered: "Not covered",
    edited_outside: "File edited outside Portcullis",
    failing: "Failing",
  } satisfies Record<Observed["state"], string>,
  quarantined: (until: string | null) =>
    until === null ? "Quarantined until you release it" : `Quarantined until ${until}`,
  release: "Release",
  quarantine: "Quarantine",
  startIt: (app: string) =>
    `Run the command below in a terminal: there it says all that is wrong. Once it starts, restart ${app}.`,
  reachIt: "Check that the address below answers. The next call tries it again.",
  saidLast: "What it said last",
  notChecked: "Its traffic is not checked",
  unknown: "Not known while the log cannot be read",
  compare: "Compare",
  messages: (count: number) => `${plural(count, "Message")} in 24 h`,
};
