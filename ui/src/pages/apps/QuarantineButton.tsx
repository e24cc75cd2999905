// Puts a server aside, or lets it go again. The engine takes a release only from a person.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { useWritable } from "../../lib/hooks";
import { plainName } from "../../lib/reveal";
import { Failure } from "../../parts/states";
import { text } from "../../text";

type Props = { upstream: string; inside: boolean; name: string };

export function QuarantineButton({ upstream, inside, name }: Props) {
  const client = useQueryClient();
  const off = !useWritable();
  const act = useMutation({
    mutationFn: () =>
      inside
        ? write("DELETE", `/api/quarantine/${encodeURIComponent(upstream)}`)
        : write("POST", "/api/quarantine", { upstream, minutes: null }),
    onSettled: () => client.invalidateQueries({ queryKey: ["apps"] }),
  });
  const label = inside ? text.observed.release : text.observed.quarantine;
  return (
    <>
      <button
        type="button"
        className={`linklike small ${inside ? "" : "mild"}`}
        aria-disabled={off || act.isPending || undefined}
        aria-label={`${label}: ${plainName(name)}`}
        onClick={() => !off && !act.isPending && act.mutate()}
      >
        {label}
      </button>
      {act.isError && <Failure error={act.error} />}
    </>
  );
}
