// The two lines of an Alert: what was found, and who talked to whom by which Signature.

import { Route } from "../../exchange/Head";
import { Prose } from "../../parts/Prose";
import { OutcomeMark } from "../../parts/Verdict";
import { text } from "../../text";
import type { AlertGroup, App } from "../../types";

export function AlertWords({ group, apps }: { group: AlertGroup; apps: App[] | undefined }) {
  const { newest, count } = group;
  return (
    <div className="alertwords">
      <div className="row tight">
        <span className="ell">
          {newest.title === null ? text.alerts.untitled : <Prose words={newest.title} />}
        </span>
        <OutcomeMark row={newest} />
        {count > 1 && <span className="faint num">{text.alerts.group(count)}</span>}
      </div>
      <div className="l2 ell">
        <Route row={newest} apps={apps} />
        {newest.signature !== null && ` · ${newest.signature}`}
      </div>
    </div>
  );
}
