// The sentence to be ticked before something grave is allowed.
import type { ReactNode } from "react";

type Props = { ticked: boolean; onTick: (on: boolean) => void; children: ReactNode };

export function Acknowledge({ ticked, onTick, children }: Props) {
  return (
    <label className="ack small">
      <input type="checkbox" checked={ticked} onChange={(event) => onTick(event.target.checked)} />
      <span>{children}</span>
    </label>
  );
}
