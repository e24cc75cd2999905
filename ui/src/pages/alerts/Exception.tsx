// From an Alert to a Decision in two clicks: the narrowest scope is set, what it would have changed is said, one button.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { write } from "../../api/client";
import { useApps } from "../../api/queries";
import { useWritable } from "../../lib/hooks";
import { factsOfFindings, fieldsOf, NARROWEST, type ScopeFacts } from "../../lib/scope";
import { strongestFirst } from "../../lib/session";
import { appName } from "../../parts/AppBadge";
import { Button } from "../../parts/controls";
import { Dialog } from "../../parts/Dialog";
import { ReplayLine } from "../../parts/Replay";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { App, Decision, Exchange, NewDecision, Severity } from "../../types";
import { Acknowledge } from "../ask/Acknowledge";
import { ENDS, ScopeBuilder, useReach } from "../ask/ScopeBuilder";

const t = text.exception;
const LOUD: Severity[] = ["high", "critical"];

function factsOf(exchange: Exchange, apps: App[] | undefined): ScopeFacts {
  const strongest = strongestFirst(exchange.findings)[0];
  return {
    appName: appName(apps, exchange.app),
    upstreamName: exchange.upstream_name,
    target: exchange.target,
    severity: strongest?.severity ?? "low",
    destinations: null,
    fields: fieldsOf(exchange.request),
    ...factsOfFindings(exchange.findings),
  };
}

export function ExceptionDialog(props: {
  exchange: Exchange;
  effect: "allow" | "deny";
  onClose: () => void;
}) {
  const { exchange, effect, onClose } = props;
  const apps = useApps().data;
  const client = useQueryClient();
  const writable = useWritable();
  const reach = useReach(NARROWEST);
  const { scope, expires } = reach;
  const [ticked, setTicked] = useState(false);
  const facts = factsOf(exchange, apps);
  const needsTick = effect === "allow" && LOUD.includes(facts.severity);
  const make = useMutation({
    mutationFn: () =>
      write<Decision>("POST", "/api/decisions", {
        exchange: exchange.id,
        effect,
        scope,
        expires,
        acknowledged: ticked,
      } satisfies NewDecision),
    onSettled: () => client.invalidateQueries({ queryKey: ["decisions"] }),
  });
  return (
    <Dialog title={effect === "allow" ? t.allowTitle : t.denyTitle} onClose={onClose}>
      <ScopeBuilder facts={facts} effect={effect} reach={reach} ends={[...ENDS, "never"]} />
      <ReplayLine change={{ kind: "decision", exchange: exchange.id, effect, scope }} />
      {needsTick && !make.isSuccess && (
        <Acknowledge ticked={ticked} onTick={setTicked}>
          {t.acknowledge}
        </Acknowledge>
      )}
      {make.isError && <Failure error={make.error} />}
      <div className="row">
        {make.isSuccess ? (
          <>
            <p className="grow" role="status">
              {t.done}
            </p>
            <Button onClick={onClose}>{text.detail.close}</Button>
          </>
        ) : (
          <>
            <Button
              look="solid"
              off={!writable || make.isPending || (needsTick && !ticked)}
              onClick={() => make.mutate()}
            >
              {effect === "allow" ? t.confirmAllow : t.confirmDeny}
            </Button>
            <Button onClick={onClose}>{text.preview.cancel}</Button>
          </>
        )}
      </div>
    </Dialog>
  );
}
