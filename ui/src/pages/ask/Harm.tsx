// The sentence that names the harm: who is about to do what with which thing.
import { Fragment } from "react";
import { harmOf } from "../../lib/harm";
import { Name } from "../../parts/Hostile";
import { text } from "../../text";
import type { Ask } from "../../types";

const t = text.ask;

export function Harm({ ask }: { ask: Ask }) {
  const lead = ask.direction === "to_client" ? t.aboutTo : t.wants;
  return (
    <>
      {lead(ask.app_name, ask.state !== "waiting")}
      <HarmOnly ask={ask} />
    </>
  );
}

/** Without who: it follows words of its own. */
export function HarmOnly({ ask }: { ask: Ask }) {
  const parts = harmOf(ask);
  if (parts === null) return <Name value={ask.method} />;
  return parts.map((part, i) => (
    <Fragment key={i}>{typeof part === "string" ? part : <Name value={part.name} />}</Fragment>
  ));
}
