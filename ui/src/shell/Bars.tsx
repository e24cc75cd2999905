// Bars on top of every page: engine away, paused, and problems that touch protection.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { connection, write } from "../api/client";
import { useStatus } from "../api/queries";
import { useWritable } from "../lib/hooks";
import { useStore } from "../lib/store";
import { clock, clockSeconds } from "../lib/time";
import { Button } from "../parts/controls";
import { Icon } from "../parts/Icon";
import { text } from "../text";

export function Bars() {
  const status = useStatus().data;
  const { down } = useStore(connection);
  return (
    <>
      {down !== null && (
        <div className="bar down" role="alert">
          <Icon name="triangle" />
          <span>
            {text.bars.unreachable} {text.bars.start} <code>portcullis serve</code>.{" "}
            <span className="muted num">{text.bars.asOf(clockSeconds(down))}</span>
          </span>
        </div>
      )}
      {status?.protection.state === "paused" && <PausedBar until={status.protection.until} />}
      {status?.problems.map((problem) => (
        <div className="bar" key={problem} role="status">
          <Icon name="triangle" />
          <span className="grow">{problem}</span>
        </div>
      ))}
    </>
  );
}

function PausedBar({ until }: { until: number | null }) {
  const resume = useResume();
  const writable = useWritable();
  return (
    <div className="bar" role="status">
      <Icon name="pause" />
      <span className="grow">{text.bars.paused(until === null ? null : clock(until))}</span>
      <Button small off={!writable || resume.isPending} onClick={() => resume.mutate()}>
        {text.bars.resume}
      </Button>
    </div>
  );
}

export function useResume() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => write("POST", "/api/resume"),
    onSettled: () => client.invalidateQueries({ queryKey: ["status"] }),
  });
}
