// The two acts of Overview: run the drill, pause.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { keys, useDrill } from "../../api/queries";
import { useKeepFocus } from "../../lib/focus";
import { useWritable } from "../../lib/hooks";
import { navigate } from "../../lib/route";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Menu } from "../../parts/Menu";
import { Failure } from "../../parts/states";
import { useResume } from "../../shell/Bars";
import { text } from "../../text";
import type { DrillReport, PauseRequest, Status } from "../../types";

export function useRunDrill() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => write<DrillReport | undefined>("POST", "/api/drill"),
    onSuccess: (report) => report && client.setQueryData(keys.drill, report),
    onSettled: () => client.invalidateQueries({ queryKey: keys.drill }),
  });
}

/** Starts a drill and shows its table. */
export function DrillButton({ solid = false }: { solid?: boolean }) {
  const run = useRunDrill();
  const running = useDrill().data?.running === true;
  const writable = useWritable();
  return (
    <Button
      look={solid ? "solid" : ""}
      off={!writable || run.isPending}
      onClick={() => {
        navigate({ page: "drill" });
        if (!running) run.mutate();
      }}
    >
      <Icon name="drill" />
      {running ? text.overview.drilling : text.overview.drill}
    </Button>
  );
}

export function PauseButton({ status }: { status: Status | undefined }) {
  const client = useQueryClient();
  const writable = useWritable();
  const resume = useResume();
  const pause = useMutation({
    mutationFn: (minutes: number | null) => write("POST", "/api/pause", { minutes } satisfies PauseRequest),
    onSettled: () => client.invalidateQueries({ queryKey: keys.status }),
  });
  const error = pause.error ?? resume.error;
  const keepFocus = useKeepFocus("button");
  return (
    <div {...keepFocus}>
      {status?.protection.state === "paused" ? (
        <Button off={!writable || resume.isPending} onClick={() => resume.mutate()}>
          <Icon name="play" />
          {text.bars.resume}
        </Button>
      ) : (
        <Menu
          label={text.overview.pause}
          off={!writable || !status || status.protection.state === "off"}
          items={[
            { label: text.overview.pauseFor.quarter, act: () => pause.mutate(15) },
            { label: text.overview.pauseFor.hour, act: () => pause.mutate(60) },
            { label: text.overview.pauseFor.open, act: () => pause.mutate(null) },
          ]}
        >
          <Icon name="pause" />
          {text.overview.pause}
        </Menu>
      )}
      {error !== null && <Failure error={error} />}
    </div>
  );
}
