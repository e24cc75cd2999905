// Sets a judge up. What it says about where texts go follows what is typed; the engine checks the rest and says why not.
import { type FormEvent, type ReactNode, useState } from "react";
import { awayHost } from "../../lib/away";
import { Button } from "../../parts/controls";
import { text } from "../../text";
import type { JudgeKind, JudgeName, JudgeScope, JudgeSettings, KeySource, ModelStyle } from "../../types";

const t = text.judges.form;
type KeyPlace = keyof typeof t.keys;
type Props = {
  name: JudgeName;
  before: JudgeSettings | null;
  busy: boolean;
  onSave: (settings: JudgeSettings) => void;
  onCancel: () => void;
};
type Model = Extract<JudgeKind, { kind: "model" }>;

const DEFAULTS = {
  enabled: true,
  scope: "grey" as JudgeScope,
  timeout_seconds: 10,
  most_per_day: 200,
  threshold_percent: 70,
};
const OLLAMA = { style: "ollama", url: "http://127.0.0.1:11434", model: "" } as const;

export function JudgeForm({ name, before, busy, onSave, onCancel }: Props) {
  const [common, setCommon] = useState({ ...DEFAULTS, ...before });
  const modelBefore = before?.kind.kind === "model" ? before.kind : null;
  const [model, setModel] = useState<Model>(modelBefore ?? { kind: "model", key: null, ...OLLAMA });
  const [file, setFile] = useState(before?.kind.kind === "onnx" ? before.kind.file : "");
  const kind: JudgeKind = name === "model" ? model : { kind: "onnx", file };
  const complete = name === "model" ? model.url !== "" && model.model !== "" : file !== "";
  const save = (enabled: boolean) => onSave({ ...common, kind, enabled });
  const away = name === "model" ? awayHost(model.url) : null;
  const count = (key: "timeout_seconds" | "most_per_day" | "threshold_percent", max: number) => (
    <input
      className="field num numberfield"
      type="number"
      min={1}
      max={max}
      required
      value={common[key]}
      onChange={(event) => setCommon({ ...common, [key]: event.target.valueAsNumber || 0 })}
    />
  );
  return (
    <form
      className="judgeform"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        save(true);
      }}
    >
      {name === "model" ? (
        <ModelFields model={model} onChange={setModel} />
      ) : (
        <Field label={t.file} more={t.fileMore}>
          <input className="field" value={file} required onChange={(event) => setFile(event.target.value)} />
        </Field>
      )}
      <Field label={t.scope}>
        <select
          className="select"
          value={common.scope}
          onChange={(event) => setCommon({ ...common, scope: event.target.value as JudgeScope })}
        >
          {Object.entries(t.scopes).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      <Field label={t.timeout} unit={t.timeoutUnit}>
        {count("timeout_seconds", 60)}
      </Field>
      <Field label={t.perDay} unit={t.perDayUnit}>
        {count("most_per_day", 100_000)}
      </Field>
      <Field label={t.threshold} unit={t.thresholdUnit}>
        {count("threshold_percent", 100)}
      </Field>
      {away !== undefined && <p className="small">{away === null ? t.stays : t.leaves(away)}</p>}
      <div className="row wrap">
        <Button look="solid" submit off={busy || !complete}>
          {t.save}
        </Button>
        {before !== null && (
          <Button off={busy || !complete} onClick={() => save(false)}>
            {t.saveOff}
          </Button>
        )}
        <Button look="quiet" onClick={onCancel}>
          {t.cancel}
        </Button>
      </div>
    </form>
  );
}

function ModelFields({ model, onChange }: { model: Model; onChange: (model: Model) => void }) {
  const place: KeyPlace = model.key === null ? "none" : "env" in model.key ? "env" : "file";
  const set = (part: Partial<Model>) => onChange({ ...model, ...part });
  const keyAt = (to: KeyPlace, value: string): KeySource | null =>
    to === "none" ? null : to === "env" ? { env: value } : { file: value };
  const keyValue = model.key === null ? "" : "env" in model.key ? model.key.env : model.key.file;
  return (
    <>
      <Field label={t.style}>
        <select
          className="select"
          value={model.style}
          onChange={(event) => set({ style: event.target.value as ModelStyle })}
        >
          {Object.entries(t.styles).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      <Field label={t.url} more={t.urlMore}>
        <input
          className="field"
          inputMode="url"
          value={model.url}
          required
          onChange={(event) => set({ url: event.target.value.trim() })}
        />
      </Field>
      <Field label={t.model}>
        <input
          className="field"
          value={model.model}
          required
          onChange={(event) => set({ model: event.target.value })}
        />
      </Field>
      <Field label={t.keyIn} more={t.keyMore}>
        <select
          className="select"
          value={place}
          onChange={(event) => set({ key: keyAt(event.target.value as KeyPlace, "") })}
        >
          {Object.entries(t.keys).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      {place !== "none" && (
        <Field label={place === "env" ? t.keyEnv : t.keyFile}>
          <input
            className="field"
            value={keyValue}
            required
            onChange={(event) => set({ key: keyAt(place, event.target.value) })}
          />
        </Field>
      )}
    </>
  );
}

type FieldProps = { label: string; more?: string; unit?: string; children: ReactNode };

function Field({ label, more, unit, children }: FieldProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="judgefield">
      <span>{label}</span>
      <span className="row">
        {children}
        {unit !== undefined && <span className="muted small">{unit}</span>}
      </span>
      {more !== undefined && <span className="small faint more">{more}</span>}
    </label>
  );
}
