// Whether the app signs in to a server itself, instead of Portcullis. Then the app holds the token, so it is a person's act.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { keys, useOwnSignIns } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { plainName } from "../../lib/reveal";
import { Toggle } from "../../parts/controls";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { OwnSignInRequest } from "../../types";

type Props = { upstream: string; app: string; name: string };

export function OwnSignIn({ upstream, app, name }: Props) {
  const own = useOwnSignIns().data;
  const client = useQueryClient();
  const writable = useWritable();
  const on = own?.includes(upstream) ?? false;
  const set = useMutation({
    mutationFn: () =>
      write<string[]>("PUT", `/api/sign-ins/${encodeURIComponent(upstream)}/own`, {
        on: !on,
      } satisfies OwnSignInRequest),
    onSuccess: (all) => client.setQueryData(keys.ownSignIns, all),
    onSettled: () => client.invalidateQueries({ queryKey: ["sign-ins"] }),
  });
  if (own === undefined) return null;
  return (
    <div className="o small muted ownsign">
      <Toggle
        on={on}
        label={text.signIn.own(app, plainName(name))}
        off={!writable || set.isPending}
        onChange={() => set.mutate()}
      />
      <span>
        {text.signIn.ownLabel(app)}{" "}
        <span className="faint">{on ? text.signIn.ownOn : text.signIn.ownOff}</span>
      </span>
      {set.isError && <Failure error={set.error} />}
    </div>
  );
}
