// The sentence that names the harm: who is about to do what with which thing.
import { Fragment } from "react";
import { type HarmPart, harmOf } from "../../lib/harm";
import { Name } from "../../parts/Hostile";
import { text } from "../../text";
import type { Ask } from "../../types";

const t = text.ask;

export function Harm({ ask }: { ask: Ask }) {
  const parts = harmOf(ask);
  const lead = ask.direction === "to_client" ? t.aboutTo(ask.app_name) : t.wants(ask.app_name);
  return (
    <>
      {lead}
      {parts === null ? <Name value={ask.method} /> : <Parts parts={parts} />}
    </>
  );
}

/** Without who: it follows words of its own. */
export function HarmOnly({ ask }: { ask: Ask }) {
  const parts = harmOf(ask);
  return parts === null ? <Name value={ask.method} /> : <Parts parts={parts} />;
}

function Parts({ parts }: { parts: HarmPart[] }) {
  return parts.map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence never change places
    <Fragment key={i}>{typeof part === "string" ? part : <Name value={part.name} />}</Fragment>
  ));
}
