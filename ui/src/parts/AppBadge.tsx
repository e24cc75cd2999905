// An app's letter and name, and what was observed of a server.
import { useStatus } from "../api/queries";
import { howItFailed } from "../lib/failing";
import { useNow } from "../lib/hooks";
import { ago, shortWhen } from "../lib/time";
import { text } from "../text";
import type { App, Observed } from "../types";
import { Revealed } from "./Hostile";
import { Icon, type IconName } from "./Icon";

/** Known apps have a name of ours; an id we do not know is shown as it is. */
export function appName(apps: App[] | undefined, id: string): string {
  return apps?.find((app) => app.id === id)?.name ?? (id === "drill" ? text.pages.drill : id);
}

/** `Cursor` C, `Claude Desktop` CD: one letter does not tell the Claude apps from Cursor. */
export function initials(name: string): string {
  const words = name.split(" ").filter((word) => word !== "");
  return words
    .slice(0, 2)
    .map((word) => Array.from(word)[0] ?? "")
    .join("")
    .toUpperCase();
}

export function AppLetter({ name, small = false }: { name: string; small?: boolean }) {
  return (
    <span className={`app-i ${small ? "small-i" : ""}`} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

const ICON: Record<Observed["state"], IconName> = {
  seen: "seen",
  not_yet_seen: "clock",
  waiting: "clock",
  bypassing: "triangle",
  queued: "clock",
  quarantined: "block",
  not_covered: "crossed",
  edited_outside: "triangle",
  failing: "triangle",
};
const LOOK: Record<Observed["state"], string> = {
  seen: "seen",
  not_yet_seen: "wait",
  waiting: "wait",
  bypassing: "past",
  queued: "wait",
  quarantined: "wait",
  not_covered: "not",
  edited_outside: "wait",
  failing: "wait",
};
const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);
const IDLE_MS = 24 * 3_600_000;

/** Observed, never claimed: nothing is green because a switch is on. `long` adds what to do about it. */
export function ObservedMark({ observed, long = false }: { observed: Observed; long?: boolean }) {
  const now = useNow();
  const unknown = useStatus().data?.log_unreadable === true && observed.state === "not_yet_seen";
  if (unknown)
    return (
      <span className="obs">
        <Icon name="clock" />
        {text.observed.unknown}
      </span>
    );
  const idle = observed.state === "seen" && now - observed.at > IDLE_MS;
  return (
    <span className={`obs ${idle ? "" : LOOK[observed.state]}`}>
      <Icon name={ICON[observed.state]} />
      <ObservedWords observed={observed} now={now} long={long} />
    </span>
  );
}

function ObservedWords({ observed, now, long }: { observed: Observed; now: number; long: boolean }) {
  const label = text.observed.label[observed.state];
  switch (observed.state) {
    case "seen": {
      const when =
        now - observed.at > IDLE_MS
          ? text.observed.idle(ago(observed.at, now))
          : text.observed.seen(ago(observed.at, now));
      return <span title={shortWhen(observed.at, now)}>{long ? capital(when) : when}</span>;
    }
    case "not_yet_seen":
    case "waiting":
    case "queued":
      return (
        <span>
          <b>{label}.</b> {observed.hint}
        </span>
      );
    case "quarantined":
      return (
        <span>
          <b>{label}.</b>{" "}
          {text.observed.quarantined(observed.until === null ? null : shortWhen(observed.until, now))}
        </span>
      );
    case "bypassing":
      return (
        <span>
          <b>{label}.</b>{" "}
          <bdi>
            <Revealed value={observed.reason} />
          </bdi>
        </span>
      );
    case "not_covered":
      return (
        <span>
          <b>{label}.</b> {long && `${text.observed.notChecked}. `}
          {capital(observed.reason)}
        </span>
      );
    case "edited_outside":
      return <b>{label}</b>;
    case "failing":
      return (
        <span
          title={observed.since === null ? undefined : text.observed.since(shortWhen(observed.since, now))}
        >
          <b>{label}:</b>{" "}
          <bdi className="mono">
            <Revealed value={long ? howItFailed(observed.reason).how : observed.reason} />
          </bdi>
          {long && observed.since !== null && `, ${text.observed.since(ago(observed.since, now))}`}
        </span>
      );
  }
}
