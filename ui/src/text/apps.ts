// The part of the catalogue about Apps, sign-ins and the preview of a change; `index.ts` takes it in.
import { number, plural } from "./words";

export const appsText = {
  found: (count: number) => `${plural(count, "app")} with MCP servers found on this computer.`,
  lookAgain: "Look again",
  looked: "Looked just now.",
  seen: (seen: number, total: number) => `${number(seen)} of ${number(total)} seen`,
  noServers: "No MCP server in this file.",
  noFile: "This file does not exist yet.",
  notInstalled: "Not found on this computer",
  cannot: "Cannot be protected:",
  elsewhere: "Servers from elsewhere, not covered",
  alsoRead: (programs: string[]) => `Also read by ${programs.join(", ")}.`,
  project: "project",
  queued: "A change waits until the app has quit.",
  protectApp: (app: string) => `Protect ${app}`,
  protectServer: (server: string, app: string) => `Protect ${server} in ${app}`,
  usedBy: "Used by",
  partly: (app: string) => `Protect ${app}, some servers are on`,
  mode: "Unless set below:",
  previewOpen: "preview open",
  none: "No app with MCP servers was found on this computer.",
  noneMore: "Add an MCP server in one of the apps below, then look again.",
};

export const signInText = {
  title: "Sign-ins",
  needed: "asks you to sign in: its calls fail until then",
  wider: "asks for wider rights than your sign-in gave: such calls fail until you sign in again",
  at: (issuer: string) => `signed in at ${issuer}`,
  in: "Sign in",
  again: "Sign in again",
  out: "Sign out",
  own: (app: string, server: string) => `${app} signs in to ${server} itself`,
  ownLabel: (app: string) => `${app} signs in itself.`,
  ownOn: "It holds the token. Servers that are strict about it refuse this.",
  ownOff: "Off: Portcullis signs in if the server asks, and the app sees no token.",
};

export const previewText = {
  label: "Preview",
  protect: (app: string) => `Protect ${app}?`,
  restore: (app: string) => `Put ${app}'s config back?`,
  protectOne: "Protect",
  restoreOne: "Stop protecting",
  inApp: (app: string) => `in ${app}?`,
  changes: (lines: number) =>
    lines === 0
      ? "Nothing changes."
      : `${plural(lines, "line")} ${lines === 1 ? "changes" : "change"}. Nothing is written until you say so.`,
  lines: (from: number, to: number) => (from === to ? `line ${from}` : `lines ${from} to ${to}`),
  promises: {
    protect: [
      "Comments, order and spacing stay as they are.",
      "Turning it off puts back the same bytes. Your own later edits survive.",
      "Servers keep their names, so the app keeps your approvals.",
    ],
    restore: [
      "Only what Portcullis changed goes back. Your own later edits survive.",
      "Traffic of these servers is no longer checked.",
    ],
  },
  seenNote: "The status turns to “Seen” with the first Message, not before.",
  stays: "stays as it is",
  refused: "Not written:",
  queued: "Written once the app has quit.",
  write: "Write this change",
  writing: "Writing",
  writeQueued: "Write when the app quits",
  cancel: "Cancel",
  close: "Close",
  again: "Look at the new preview",
  copyDiff: "Copy diff",
  written: (count: number) => `Written: ${plural(count, "file")}`,
  waits: (count: number) => `Waiting for the app to quit: ${plural(count, "file")}`,
  nothingWritten: "Nothing had to be written.",
  reading: "Reading the config",
};
