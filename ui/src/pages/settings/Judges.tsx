// Optional judges: which are on, where texts go, what came of it. The engine takes "on" from a person alone.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { write } from "../../api/client";
import { keys, useJudges } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { Button, Toggle } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Failure, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { JudgeInfo, JudgeList, JudgeSettings, JudgeTest } from "../../types";
import { Group } from "./Group";
import { JudgeForm } from "./JudgeForm";

const t = text.judges;

export function Judges() {
  const judges = useJudges();
  return (
    <Group title={t.title}>
      <p className="small muted below">{t.lead}</p>
      <Waiting query={judges} rows={2} tall />
      {judges.data?.judges.map((judge) => (
        <Judge key={judge.name} judge={judge} />
      ))}
    </Group>
  );
}

function Judge({ judge }: { judge: JudgeInfo }) {
  const client = useQueryClient();
  const off = !useWritable();
  const [editing, setEditing] = useState(false);
  const { settings } = judge;
  const path = `/api/judges/${judge.name}`;
  const save = useMutation({
    mutationFn: (next: JudgeSettings) => write<JudgeList>("PUT", path, next),
    onSuccess: (list) => {
      client.setQueryData(keys.judges, list);
      setEditing(false);
    },
    onError: () => client.invalidateQueries({ queryKey: keys.judges }),
  });
  const test = useMutation({ mutationFn: () => write<JudgeTest>("POST", `${path}/test`, {}) });
  return (
    <section className="judge" aria-label={t.name[judge.name]}>
      <div className="setline">
        <div className="grow">
          <div>{t.name[judge.name]}</div>
          <div className="small faint">
            {settings === null ? t.never[judge.name] : <Told settings={settings} />}
          </div>
        </div>
        {settings?.enabled && (
          <Button small look="quiet" off={off || test.isPending} onClick={() => test.mutate()}>
            {test.isPending ? t.testing : t.test}
          </Button>
        )}
        <Button small off={off} onClick={() => setEditing(!editing)}>
          {settings === null ? t.set : t.edit}
        </Button>
        {settings !== null && (
          <Toggle
            on={settings.enabled}
            label={t.on(t.name[judge.name])}
            off={off || save.isPending}
            onChange={() => save.mutate({ ...settings, enabled: !settings.enabled })}
          />
        )}
      </div>
      {settings?.enabled && <Counts judge={judge} />}
      {judge.problem !== null && settings !== null && (
        <p className="small below row">
          <Icon name="triangle" /> {judge.problem}
        </p>
      )}
      {test.data && <Tested test={test.data} />}
      {(save.isError || test.isError) && <Failure error={save.error ?? test.error} />}
      {editing && (
        <JudgeForm
          name={judge.name}
          before={settings}
          busy={save.isPending}
          onSave={(next) => save.mutate(next)}
          onCancel={() => setEditing(false)}
        />
      )}
    </section>
  );
}

function Told({ settings }: { settings: JudgeSettings }) {
  const { kind } = settings;
  const what = t.what[settings.scope];
  if (kind.kind === "onnx")
    return (
      <>
        {t.reads(what, settings.most_per_day)}
        <Name value={kind.file} full />.
      </>
    );
  return (
    <>
      {t.sends(what, settings.most_per_day)}
      <Name value={kind.url} full />
      {t.model(kind.model)}{" "}
      {kind.key === null ? (
        t.key.none
      ) : "env" in kind.key ? (
        <>
          {t.key.env}
          <code>{kind.key.env}</code>.
        </>
      ) : (
        <>
          {t.key.file}
          <Name value={kind.key.file} full />.
        </>
      )}
    </>
  );
}

function Counts({ judge: { counts } }: { judge: JudgeInfo }) {
  const { used_today: today, asked, doubtful, fine } = counts;
  const none = counts.unparsable + counts.late + counts.failed;
  const missed = counts.over_budget + counts.dropped;
  return <p className="small faint below num">{t.counts({ today, asked, doubtful, fine, none, missed })}</p>;
}

/** What it thinks of two texts that ship with Portcullis; nothing of anybody's traffic is sent. */
function Tested({ test }: { test: JudgeTest }) {
  return (
    <ul className="small below" role="status">
      {test.samples.map((sample) => (
        <li key={String(sample.hostile)}>
          {sample.hostile ? t.sample.hostile : t.sample.ordinary}:{" "}
          <b className="num">
            {sample.percent === null
              ? t.noOpinion(sample.fault ?? "")
              : t.percent(sample.percent, sample.took_ms)}
          </b>
        </li>
      ))}
    </ul>
  );
}
