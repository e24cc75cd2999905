// The part of the catalogue about the Overview; `index.ts` takes it in.
import { number, plural } from "./words";

export const overviewText = {
  drill: "Run the drill",
  drilling: "Drill is running",
  pause: "Pause",
  pauseFor: {
    quarter: "For 15 minutes",
    hour: "For 1 hour",
    open: "Until I resume",
  },
  servers: "Servers",
  serversNote: "status is observed, not assumed",
  columns: { app: "App", server: "Server", day: "Last 24 h", observed: "Observed" },
  chart: "Last 24 hours",
  now: "now",
  chartLabel: (messages: number, blocked: number, asked: number, flagged: number) =>
    `${plural(messages, "Message")} in 24 hours: ${number(blocked)} blocked, ${number(asked)} asked, ${number(flagged)} flagged`,
  nothingNeeded: (quiet: number, all: number) =>
    `${number(quiet)} of ${plural(all, "Message")} needed nothing from you.`,
  noMessages: "No Message in the last 24 hours.",
  newest: "Newest Alerts",
  all: (count: number) => `All ${number(count)}`,
  emptyTitle: "Nothing has come through yet",
  emptyMore: (app: string | null) =>
    app
      ? `Open ${app} and use a tool, or run the drill to see an attack stopped.`
      : "Protect an app and use one of its tools, or run the drill to see an attack stopped.",
  choose: "Choose apps to protect",
  drillNote:
    "The drill calls a hostile server of our own, in a home of its own. Your configs stay as they are.",
  noServers: "No app on this computer has an MCP server in its config.",
};
