// Monitor, Ask or Block for a server, an app, or everything. A server without a mode of its own follows its app.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { keys, useModes } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { plainName } from "../../lib/reveal";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { Mode, ModeRequest, Modes } from "../../types";

const t = text.mode;
const MODES: Mode[] = ["monitor", "ask", "block"];
type Of = { app: string | null; upstream: string | null };

export function ModeSelect({ of, name }: { of: Of; name: string }) {
  const modes = useModes().data;
  const client = useQueryClient();
  const writable = useWritable();
  const set = useMutation({
    mutationFn: (mode: Mode | null) =>
      write<Modes | undefined>("PUT", "/api/modes", { ...of, mode } satisfies ModeRequest),
    onSettled: () => client.invalidateQueries({ queryKey: keys.modes }),
  });
  if (!modes) return null;
  const own = ownMode(modes, of);
  const above =
    of.upstream === null || of.app === null ? modes.default : (modes.apps[of.app] ?? modes.default);
  const everything = of.app === null && of.upstream === null;
  return (
    <>
      <select
        className="select modeselect"
        aria-label={everything ? t.default : t.label(plainName(name))}
        title={t.more[own ?? above]}
        value={own ?? ""}
        disabled={!writable}
        onChange={(event) => set.mutate(event.target.value === "" ? null : (event.target.value as Mode))}
      >
        {!everything && <option value="">{t.as(t.mode[above])}</option>}
        {MODES.map((mode) => (
          <option key={mode} value={mode}>
            {t.mode[mode]}
          </option>
        ))}
      </select>
      {set.isError && <Failure error={set.error} />}
    </>
  );
}

function ownMode(modes: Modes, of: Of): Mode | null {
  if (of.upstream !== null) return modes.upstreams[of.upstream] ?? null;
  if (of.app !== null) return modes.apps[of.app] ?? null;
  return modes.default;
}
