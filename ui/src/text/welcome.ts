// The part of the catalogue about the first run, the drill and pairing; `index.ts` takes it in.
import { number, plural } from "./words";

export const welcomeText = {
  steps: "First run",
  local: "Everything stays on this computer. No account, no model, no cloud.",
  names: {
    what: "What it does",
    choose: "Choose and preview",
    restart: "Restart apps",
    attack: "Try an attack",
  },
  done: "Done:",
  notNow: "Not now",
  next: "Next",
  finish: "Finish",
  what: {
    title: "Portcullis stands between your AI apps and their MCP servers",
    does: [
      "It changes the config of the apps you choose, so that their MCP traffic passes through it. Each Message is checked in both directions, on this computer.",
      "What is hostile does not arrive. What is doubtful waits for your answer, and you decide with the exact arguments before you.",
      "Every change can be taken back, byte for byte.",
    ],
    limits: "What it does not see",
    cannot: [
      "Apps that are not listed in the next step.",
      "Servers you leave out.",
      "What an app does without MCP: its own file access, its own shell, its own network.",
    ],
    next: "Look at my apps",
  },
  choose: {
    title: (apps: number) =>
      apps === 0
        ? "No app with MCP servers"
        : `${plural(apps, "app")} ${apps === 1 ? "uses" : "use"} MCP servers`,
    lead: (servers: number, open: number, all: number) =>
      servers === 0
        ? "Nothing has been changed."
        : open === 0
          ? `Portcullis stands between them and their ${plural(servers, "server")}.`
          : `Portcullis would stand between them and their ${plural(servers, "server")}. ${open === all ? "Nothing has been changed yet." : "Only what is marked as protected has been changed."}`,
    lines: (lines: number) =>
      lines === 0 ? "nothing to change" : `${plural(lines, "line")} ${lines === 1 ? "changes" : "change"}`,
    on: "already protected",
    show: "Show changes",
    hide: "Hide changes",
    count: (lines: number, apps: number) => `${plural(lines, "line")} in ${plural(apps, "app")}`,
    protect: (apps: number) => `Protect ${plural(apps, "app")}`,
    back: "You can always go back.",
    backMore: "Each file is restored byte for byte from Apps, from the tray, or with",
  },
  restart: {
    title: "Restart your apps",
    lead: "An app reads its config when it starts. Restart it, or use one of its tools: each line turns to “seen” by itself, with the first Message and not before.",
    none: "No app is protected yet.",
  },
  attack: { title: "Try an attack" },
};

export const drillText = {
  title: "Drill",
  lead: "A hostile server of our own tries its attacks through the real path. Your configs are not touched.",
  run: "Run the drill",
  again: "Run it again",
  running: (done: number) => `Running, ${plural(done, "attack")} tried`,
  result: (caught: number, all: number) => `${number(caught)} of ${number(all)} caught`,
  attack: "Attack",
  caught: "Caught",
  missed: "Got through",
  none: "–",
  notTried: "not tried on this Transport",
  empty: "Not run yet",
  emptyMore: "It takes a few seconds. Every attack shows up in Alerts as well.",
  look: "Look at it",
  table: "Attacks by Transport",
  at: (time: string) => `Run at ${time}`,
  failed: "The drill stopped:",
};

export const pairText = {
  title: "Pair this browser",
  lead: "The dashboard is shown only to browsers you pair. In a terminal on this computer, run:",
  command: "portcullis pair",
  typeIt: "Then type the code it prints. A code works once and for a few minutes.",
  code: "Code",
  submit: "Pair",
  pairing: "Pairing",
};
