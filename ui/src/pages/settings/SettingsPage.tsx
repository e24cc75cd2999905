// Settings: what the engine keeps and does, and how this browser shows it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { keys, useSettings } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { changePrefs, prefs } from "../../lib/prefs";
import { useStore } from "../../lib/store";
import { Segments, Toggle } from "../../parts/controls";
import { Failure, Waiting } from "../../parts/states";
import { KeyTable } from "../../shell/KeyList";
import { text } from "../../text";
import type { Settings } from "../../types";
import { About } from "./About";
import { Group, Line } from "./Group";
import { Judges } from "./Judges";
import { NumberField } from "./NumberField";
import { QuietLine } from "./QuietLine";
import { RestoreAll } from "./RestoreAll";

const t = text.settings;

export default function SettingsPage() {
  const settings = useSettings();
  return (
    <>
      <header className="top">
        <h1 className="grow">{text.pages.settings}</h1>
      </header>
      <div className="page settings">
        <Waiting query={settings} rows={6} tall />
        {settings.data && <Engine settings={settings.data} />}
        <Judges />
        <Look />
        <RestoreAll />
        <Group title={t.groups.keyboard}>
          <LettersLine />
          <KeyTable />
        </Group>
        <About />
      </div>
    </>
  );
}

function Engine({ settings }: { settings: Settings }) {
  const client = useQueryClient();
  const off = !useWritable();
  const save = useMutation({
    mutationFn: (next: Settings) => write("PUT", "/api/settings", next),
    onMutate: (next) => client.setQueryData(keys.settings, next),
    onSettled: () => client.invalidateQueries({ queryKey: keys.settings }),
  });
  const set = (part: Partial<Settings>) => save.mutate({ ...settings, ...part });
  const toggle = (
    key: "notifications" | "start_at_login" | "protect_new_servers" | "hold_new_servers" | "keep_originals",
    label: string,
  ) => <Toggle on={settings[key]} label={label} off={off} onChange={() => set({ [key]: !settings[key] })} />;
  return (
    <>
      {save.isError && <Failure error={save.error} />}
      <Group title={t.groups.checking}>
        <Line title={t.protectNew} more={t.protectNewMore}>
          {toggle("protect_new_servers", t.protectNew)}
        </Line>
        <Line title={t.holdNew} more={t.holdNewMore}>
          {toggle("hold_new_servers", t.holdNew)}
        </Line>
        <Line title={t.login} more={t.loginMore}>
          {toggle("start_at_login", t.login)}
        </Line>
      </Group>
      <Group title={t.groups.asking}>
        <Line title={t.wait} more={t.waitMore}>
          <NumberField
            value={settings.ask_seconds}
            min={5}
            max={290}
            unit={t.waitUnit}
            label={t.wait}
            off={off}
            onChange={(ask_seconds) => set({ ask_seconds })}
          />
        </Line>
      </Group>
      <Group title={t.groups.notifications}>
        <Line title={t.notifications} more={t.notificationsMore}>
          {toggle("notifications", t.notifications)}
        </Line>
        <QuietLine hours={settings.quiet_hours} off={off} onChange={(quiet_hours) => set({ quiet_hours })} />
      </Group>
      <Group title={t.groups.retention} more={t.retentionMore}>
        <Line title={t.days}>
          <NumberField
            value={settings.retention_days}
            min={1}
            max={3650}
            unit={t.daysUnit}
            label={t.days}
            off={off}
            onChange={(retention_days) => set({ retention_days })}
          />
        </Line>
        <Line title={t.mib}>
          <NumberField
            value={settings.retention_mib}
            min={8}
            max={1_048_576}
            unit={t.mibUnit}
            label={t.mib}
            off={off}
            onChange={(retention_mib) => set({ retention_mib })}
          />
        </Line>
        <Line title={t.keepOriginals} more={t.keepOriginalsMore}>
          {toggle("keep_originals", t.keepOriginals)}
        </Line>
      </Group>
    </>
  );
}

const options = <T extends string>(labels: Record<T, string>) =>
  (Object.keys(labels) as T[]).map((value) => ({ value, label: labels[value] }));

function Look() {
  const { theme, density } = useStore(prefs);
  return (
    <Group title={t.groups.look}>
      <Line title={t.theme}>
        <Segments
          label={t.theme}
          value={theme}
          options={options(t.themes)}
          onChange={(next) => changePrefs({ theme: next })}
        />
      </Line>
      <Line title={t.density}>
        <Segments
          label={t.density}
          value={density}
          options={options(t.densities)}
          onChange={(next) => changePrefs({ density: next })}
        />
      </Line>
    </Group>
  );
}

function LettersLine() {
  const { letters } = useStore(prefs);
  return (
    <Line title={t.letters} more={t.lettersMore}>
      <Toggle on={letters} label={t.letters} onChange={() => changePrefs({ letters: !letters })} />
    </Line>
  );
}
