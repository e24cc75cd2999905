// A whole number with limits: saved on Enter or when left, never half typed.
import { useEffect, useState } from "react";
import { text } from "../../text";

type Props = {
  value: number;
  min: number;
  max: number;
  unit: string;
  label: string;
  off: boolean;
  onChange: (value: number) => void;
};

export function NumberField({ value, min, max, unit, label, off, onChange }: Props) {
  const [typed, setTyped] = useState(String(value));
  useEffect(() => setTyped(String(value)), [value]);
  const parsed = /^\d{1,9}$/.test(typed.trim()) ? Number(typed) : Number.NaN;
  const valid = parsed >= min && parsed <= max;
  const commit = () => {
    if (valid && parsed !== value) onChange(parsed);
    else if (!valid) setTyped(String(value));
  };
  return (
    <label className="row small">
      <span className="vh">{label}</span>
      {!valid && (
        <span role="alert" className="muted">
          {text.settings.range(min, max)}
        </span>
      )}
      <input
        className="field num numberfield"
        inputMode="numeric"
        value={typed}
        aria-invalid={!valid}
        disabled={off}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
      />
      <span className="muted unit">{unit}</span>
    </label>
  );
}
