// One row of the Alert list.
import { useNow } from "../../lib/hooks";
import { shortWhen } from "../../lib/time";
import { VerdictMark } from "../../parts/Verdict";
import { text } from "../../text";
import type { AlertGroup, App } from "../../types";
import { AlertWords } from "./AlertWords";

type Props = { group: AlertGroup; apps: App[] | undefined; showState: boolean };

export function AlertRow({ group, apps, showState }: Props) {
  const now = useNow(30_000);
  const when = shortWhen(group.newest.at, now);
  return (
    <div className="alrow" role="none">
      <span role="gridcell">
        <VerdictMark verdict={group.newest.verdict} />
      </span>
      <div role="gridcell" className="grow ell">
        <AlertWords group={group} apps={apps} />
      </div>
      <span role="gridcell" className="faint num small right">
        {group.count > 1 ? text.alerts.last(when) : when}
        {showState && group.newest.reviewed && <span className="l2 block">{text.alerts.tabs.reviewed}</span>}
      </span>
    </div>
  );
}
