// The part of the catalogue about definitions and their changes; `index.ts` takes it in.
import type { ApprovedBy, DriftCause, DriftGrade, PinKind, Quarantine } from "../types";
import { number, plural } from "./words";

export const pinsText = {
  title: "Definitions",
  lead: "What each server says its tools do, as you approved it or as it was first seen, and what it says now.",
  of: (server: string) => `Definitions of ${server}`,
  list: "Definitions",
  detail: "Definition",
  tabs: { review: "To review", changed: "Changed", all: "All" },
  tabsLabel: "Which definitions",
  empty: {
    review: "Nothing waits for your review.",
    changed: "Nothing differs from what was approved.",
    all: "No definition was seen yet. They are kept with the first list a server sends.",
  },
  choose: "Choose a definition to compare what was approved with what is seen.",
  clear: "All servers",
  kind: {
    tool: "tool",
    prompt: "prompt",
    resource: "resource",
    resource_template: "resource template",
    instructions: "instructions",
  } as Record<PinKind | string, string>,
  approvedBy: {
    person: (when: string) => `Approved by you ${when}.`,
    first_sight: (when: string) => `First seen ${when}, not reviewed by you.`,
  } satisfies Record<ApprovedBy, (when: string) => string>,
  grade: {
    quiet: "Only the wording changed. Nothing to do.",
    notable: "It changed. Worth a look.",
    grave: "It changed gravely: it asks for something new.",
  } satisfies Record<DriftGrade, string>,
  mark: { quiet: "wording", notable: "changed", grave: "grave" } satisfies Record<DriftGrade, string>,
  cause: {
    signature: "Signature",
    order: "Order",
    sensitive_path: "Sensitive path",
    destination: "Destination",
    capability: "Capability",
    parameter: "Parameter",
    size: "Size",
  } satisfies Record<DriftCause, string>,
  quarantine: {
    changed: "Kept from the app until you have looked at it: it changed gravely.",
    new: "Kept from the app until you have looked at it: its server is new.",
    person: "Kept from the app: you put it there.",
  } satisfies Record<Quarantine, string>,
  held: "held",
  same: "It says now what was approved.",
  approvedText: "As approved",
  changes: "What is different now",
  reasons: "What is new",
  approve: "Approve what it says now",
  approveSame: "Approve it",
  release: "Keep what was approved",
  releaseSame: "Let it through again",
  hold: "Keep it from the app",
  done: "Done.",
  bar: (count: number) =>
    `${plural(count, "definition")} ${count === 1 ? "waits" : "wait"} for your review and ${count === 1 ? "is" : "are"} kept from the app.`,
  review: "Review",
  link: (pinned: number, changed: number) =>
    changed > 0
      ? `${plural(pinned, "definition")}, ${number(changed)} changed`
      : plural(pinned, "definition"),
};
