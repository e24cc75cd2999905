// How far an answer reaches, in the words of the scope builder: which steps there are, which are refused and why, and the
// narrowest of all. Pure.
import type { ArgumentChoice, Finding, ScopeChoice, Severity } from "../types";

/** What the builder needs to know of the question or the Exchange. */
export type ScopeFacts = {
  appName: string;
  upstreamName: string;
  target: string | null;
  severity: Severity;
  signatures: string[];
  /** Hosts that the arguments name; null: not known here. */
  destinations: string[] | null;
  /** JSON pointers below the arguments that may be fixed. */
  fields: string[];
  secret: boolean;
};

export const NARROWEST: ScopeChoice = {
  this_app: true,
  this_server: true,
  this_target: true,
  arguments: { reach: "exact" },
  these_destinations: true,
  these_signatures: true,
};

/** A secret must not be free to go anywhere in any shape. */
export const refusesAny = (facts: Pick<ScopeFacts, "secret">) => facts.secret;

export function withReach(
  facts: ScopeFacts,
  reach: ArgumentChoice["reach"],
  before: ArgumentChoice,
): ArgumentChoice {
  if (reach === "shape") return before.reach === "shape" ? before : { reach, fixed: [...facts.fields] };
  return { reach };
}

export function toggleField(choice: ArgumentChoice, field: string): ArgumentChoice {
  if (choice.reach !== "shape") return choice;
  const fixed = choice.fixed.includes(field)
    ? choice.fixed.filter((one) => one !== field)
    : [...choice.fixed, field];
  return { reach: "shape", fixed };
}

/** Names of arguments in a call that may be fixed: plain values, two levels deep. */
export function fieldsOf(request: string): string[] {
  try {
    const { params } = JSON.parse(request) as { params?: { arguments?: unknown } };
    return leaves(params?.arguments, "", 2);
  } catch {
    return [];
  }
}

function leaves(value: unknown, base: string, depth: number): string[] {
  if (typeof value !== "object" || value === null) return base === "" ? [] : [base];
  if (depth === 0 || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, `${base}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, depth - 1),
  );
}

export const isSecret = (findings: { category: string }[]) =>
  findings.some(({ category }) => category === "secrets" || category === "personal-data");

/** What is the same whether a question is answered or an Exchange is looked back at. */
export const factsOfFindings = (findings: Finding[]): Pick<ScopeFacts, "signatures" | "secret"> => ({
  signatures: [...new Set(findings.map((finding) => finding.signature))],
  secret: isSecret(findings),
});
