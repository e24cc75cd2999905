// The part of the catalogue that says what a held call would do, and to what: the headline of a question. The words are
// in `harm.json`, because the desktop's notifications say the same with them. Each phrase follows its lead ("Cursor wants
// to"). `{what}` is what matched, `{to}` the hosts that the call names, `{server}` its server; a part in [brackets] falls
// away when it is not known. Only what the Signature saw is said: no motive, no guess. `lib/harm.ts` fills them in, and so
// does the shell's `harm.rs`; `harm.cases.json` holds both to the same sentences.
import harm from "./harm.json";

export type Phrases = { sends: string; reads: string };

/** For a Signature without a phrase of its own, one that somebody wrote for themselves above all. */
export const harmByCategory: Record<string, Phrases> = harm.by_category;
/** A category that this dashboard does not know. */
export const harmUnknown: Phrases = harm.unknown;
export const harmBySignature: Record<string, Partial<Phrases>> = harm.by_signature;

export const harmText = {
  wants: (app: string, over: boolean) => `${app}${harm.lead[over ? "then" : "now"].sends}`,
  aboutTo: (app: string, over: boolean) => `${app}${harm.lead[over ? "then" : "now"].reads}`,
  more: (count: number) => harm.more.replace("{count}", String(count)),
};
