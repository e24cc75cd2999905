// Servers that ask who calls: a person signs in once in the browser, the app needs to know nothing of it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { write } from "../../api/client";
import { keys, useSignIns } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { plainName } from "../../lib/reveal";
import { AppLetter } from "../../parts/AppBadge";
import { Button } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { SignIn, SignInAddress } from "../../types";

const t = text.signIn;

export function SignIns() {
  const all = useSignIns().data ?? [];
  if (all.length === 0) return null;
  return (
    <section className="card appcard" aria-label={t.title}>
      <div className="ah">
        <h2 className="appname grow">{t.title}</h2>
      </div>
      {all.map((one) => (
        <Row key={one.upstream} one={one} />
      ))}
    </section>
  );
}

function stateOf(one: SignIn): string {
  if (!one.needed) return t.at(one.issuer ?? "");
  return one.wider ? t.wider : t.needed;
}

function Row({ one }: { one: SignIn }) {
  const client = useQueryClient();
  const writable = useWritable();
  const path = `/api/sign-ins/${encodeURIComponent(one.upstream)}`;
  const begin = useMutation({
    mutationFn: () => write<SignInAddress>("POST", path, {}),
    // The window of the app opens no second one: it hands the address to the browser instead.
    onSuccess: ({ url }) => {
      const tab = window.open(url, "_blank");
      // The server chose that page: it gets no hold on this one.
      if (tab) tab.opener = null;
      else window.location.assign(url);
    },
  });
  const forget = useMutation({
    mutationFn: () => write("DELETE", path),
    onSettled: () => client.invalidateQueries({ queryKey: keys.signIns }),
  });
  const error = begin.error ?? forget.error;
  const named = (what: string) => text.labelOf(what, plainName(one.name));
  return (
    <div className="apphint small signin">
      <AppLetter name={one.app_name} small />
      <span className="grow">
        <Name value={one.name} /> <span className="muted">{stateOf(one)}</span>
        {one.needed && one.scope && (
          <>
            {" "}
            <bdi className="mono">{one.scope}</bdi>
          </>
        )}
        {error && <Failure error={error} />}
      </span>
      {!one.needed && (
        <Button
          small
          look="quiet"
          label={named(t.out)}
          off={!writable || forget.isPending}
          onClick={() => forget.mutate()}
        >
          {t.out}
        </Button>
      )}
      <Button
        small
        look={one.needed ? "solid" : ""}
        label={named(one.needed ? t.in : t.again)}
        off={!writable || begin.isPending}
        onClick={() => begin.mutate()}
      >
        {one.needed ? t.in : t.again}
      </Button>
    </div>
  );
}
