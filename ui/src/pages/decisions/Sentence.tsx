// A Decision as one sentence: what it does to whose calls, how far it reaches.
import { Name } from "../../parts/Hostile";
import { text } from "../../text";
import type { Decision } from "../../types";

const t = text.decisions;

export function DecisionSentence({ decision }: { decision: Decision }) {
  const { scope } = decision;
  const reach = scope.arguments;
  const fixed =
    reach.reach === "shape" ? Object.keys(reach.fixed).map((field) => field.replace(/^\//, "")) : [];
  return (
    <>
      {scope.direction === "to_client" && `${t.answersOf} `}
      {scope.target === null ? t.anyTool : <Name value={scope.target} />}
      {text.scope.of}
      {scope.upstream === null ? t.anyServer : <Name value={decision.upstream_name} />}
      {t.forApp(scope.app === null ? null : decision.app_name)}{" "}
      {reach.reach === "shape" ? t.with.shape(fixed) : t.with[reach.reach]}{" "}
      {scope.destinations === null ? t.toAny : t.to(scope.destinations)}
    </>
  );
}

/** What a search looks through. */
export function decisionWords(decision: Decision): string {
  const { scope } = decision;
  const ids = scope.signatures.reach === "these" ? scope.signatures.signatures.map((one) => one.id) : [];
  return [
    decision.effect,
    decision.app_name,
    decision.upstream_name,
    scope.target,
    scope.method,
    ...(scope.destinations ?? []),
    ...ids,
  ]
    .join(" ")
    .toLowerCase();
}
