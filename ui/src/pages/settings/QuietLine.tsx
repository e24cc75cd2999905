// Quiet hours: on or off, from and until as times of day.
import { Toggle } from "../../parts/controls";
import { text } from "../../text";
import type { QuietHours } from "../../types";
import { Line } from "./Group";

const t = text.settings;
const NIGHT: QuietHours = { from: 22 * 60, until: 7 * 60 };
const pad = (value: number) => String(value).padStart(2, "0");
const asTime = (minutes: number) => `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;

type Props = { hours: QuietHours | null; off: boolean; onChange: (hours: QuietHours | null) => void };

export function QuietLine({ hours, off, onChange }: Props) {
  const field = (key: keyof QuietHours, label: string) =>
    hours && (
      <label className="row small muted">
        {label}
        <input
          type="time"
          className="field num timefield"
          value={asTime(hours[key])}
          disabled={off}
          onChange={(event) => {
            const [hour, minute] = event.target.value.split(":").map(Number);
            if (hour !== undefined && minute !== undefined && !Number.isNaN(hour + minute))
              onChange({ ...hours, [key]: hour * 60 + minute });
          }}
        />
      </label>
    );
  return (
    <Line title={t.quiet} more={t.quietMore}>
      {field("from", t.quietFrom)}
      {field("until", t.quietUntil)}
      <Toggle
        on={hours !== null}
        label={t.quiet}
        off={off}
        onChange={() => onChange(hours === null ? NIGHT : null)}
      />
    </Line>
  );
}
