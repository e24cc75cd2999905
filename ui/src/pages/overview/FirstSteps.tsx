// Before the first Message: what to do to see something, with the drill at hand.
import { isProtected } from "../../lib/apps";
import { ButtonLink } from "../../parts/controls";
import { text } from "../../text";
import type { App } from "../../types";
import { DrillButton } from "./actions";

export function FirstSteps({ apps }: { apps: App[] | undefined }) {
  const used = apps?.find(isProtected);
  return (
    <section className="card first">
      <h2>{text.overview.emptyTitle}</h2>
      <p className="muted">{text.overview.emptyMore(used?.name ?? null)}</p>
      <div className="row">
        <DrillButton solid />
        {!used && <ButtonLink to={{ page: "apps" }}>{text.overview.choose}</ButtonLink>}
      </div>
      <p className="small faint">{text.overview.drillNote}</p>
    </section>
  );
}
