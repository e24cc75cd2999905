// Says what let something pass that did not before, whoever did it, until the person has seen it. What this very page
// just asked for is not news.
import { useEffect, useState } from "react";
import { wroteJustNow } from "../api/client";
import { onLive } from "../api/live";
import { useKeepFocus } from "../lib/focus";
import { clock } from "../lib/time";
import { Button } from "../parts/controls";
import { Icon } from "../parts/Icon";
import { text } from "../text";
import type { Change } from "../types";

const MAX_SHOWN = 3;

export function LoosenedBars() {
  const [changes, setChanges] = useState<Change[]>([]);
  useEffect(
    () =>
      onLive((event) => {
        if (event.kind === "change" && event.change.loosens && !wroteJustNow())
          setChanges((known) => [event.change, ...known].slice(0, MAX_SHOWN));
      }),
    [],
  );
  const keepFocus = useKeepFocus("#main");
  return changes.map((change) => (
    <div {...keepFocus} className="bar" role="alert" key={`${change.at} ${change.summary}`}>
      <Icon name="triangle" />
      <span className="grow">
        <b>{text.bars.loosened(clock(change.at))}</b> {change.summary}{" "}
        <span className="muted">{text.bars.looks}</span>
      </span>
      <Button small onClick={() => setChanges((known) => known.filter((one) => one !== change))}>
        {text.bars.dismiss}
      </Button>
    </div>
  ));
}
