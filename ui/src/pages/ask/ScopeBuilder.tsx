// Rows that must all match; each widens by itself, and the sentence below says what follows.
import { type ReactNode, useState } from "react";
import { readablePath } from "../../lib/path";
import { refusesAny, type ScopeFacts, toggleField, withReach } from "../../lib/scope";
import { Name } from "../../parts/Hostile";
import { text } from "../../text";
import type { ArgumentChoice, Effect, Expiry, ScopeChoice } from "../../types";

const t = text.scope;
type Props = { facts: ScopeFacts; effect: Effect; reach: Reach; ends: string[] };

/** How far an answer reaches, and until when. */
export type Reach = ReturnType<typeof useReach>;
export function useReach(first: ScopeChoice) {
  const [scope, onScope] = useState(first);
  const [expires, onExpires] = useState<Expiry>({ ends: "after", minutes: 43_200 });
  return { scope, onScope, expires, onExpires };
}

export const ENDS = ["60", "1440", "43200", "129600"];
export const endsKey = (expires: Expiry) =>
  expires.ends === "after" ? String(expires.minutes) : expires.ends;
export const expiryOf = (key: string): Expiry =>
  key === "never" || key === "session" ? { ends: key } : { ends: "after", minutes: Number(key) };
const REACHES = ["exact", "shape", "any"] as const satisfies ArgumentChoice["reach"][];

export function ScopeBuilder(props: Props) {
  const { facts, effect, reach } = props;
  const { scope, onScope, expires, onExpires } = reach;
  const locked = effect !== "deny" && refusesAny(facts);
  const row = (
    key: keyof ScopeChoice & `th${string}`,
    label: string,
    narrow: ReactNode,
    wide: string,
    off = false,
  ) => (
    <Row
      label={label}
      on={scope[key] === true}
      off={off}
      onChange={() => onScope({ ...scope, [key]: !scope[key] })}
    >
      {scope[key] ? narrow : <b>{wide}</b>}
    </Row>
  );
  return (
    <>
      <section aria-label={t.label}>
        <ul className="scope">
          {row("this_app", t.rows.app, facts.appName, t.anyApp)}
          {row(
            "this_server",
            t.rows.server,
            <>
              <Name value={facts.upstreamName} limit={24} />
              <span className="faint">{t.sameServer}</span>
            </>,
            t.anyServer,
          )}
          {facts.target !== null &&
            row(
              "this_target",
              t.rows.tool,
              <>
                <Name value={facts.target} limit={24} />
                <span className="faint">{t.pinned}</span>
              </>,
              t.anyTool,
            )}
          <ArgumentRow facts={facts} reach={reach} locked={locked} />
          {row(
            "these_destinations",
            t.rows.destination,
            <span className="mono">{t.destinations(facts.destinations)}</span>,
            t.anyDestination,
            locked,
          )}
          {row(
            "these_signatures",
            t.rows.signature,
            <>
              <span className="mono">{facts.signatures.join(", ")}</span>
              {t.only}
            </>,
            t.upTo(text.severity[facts.severity]),
          )}
          <li>
            <label className="l" htmlFor="scope-ends">
              {t.rows.ends}
            </label>
            <select
              id="scope-ends"
              className="select"
              value={endsKey(expires)}
              onChange={(event) => onExpires(expiryOf(event.target.value))}
            >
              {props.ends.map((key) => (
                <option key={key} value={key}>
                  {t.ends[key]}
                </option>
              ))}
            </select>
          </li>
        </ul>
        {locked && <p className="small muted">{t.secret}</p>}
      </section>
      <ScopeSentence facts={facts} scope={scope} effect={effect} />
    </>
  );
}

type RowProps = { label: string; on: boolean; off: boolean; onChange: () => void; children: ReactNode };
function Row({ label, on, off, onChange, children }: RowProps) {
  return (
    <li>
      <span className="l">{label}</span>
      <span className="ell">{children}</span>
      <input
        type="checkbox"
        checked={on}
        disabled={off}
        onChange={onChange}
        aria-label={t.only_this(label)}
      />
    </li>
  );
}

type ArgumentProps = { facts: ScopeFacts; reach: Reach; locked: boolean };
function ArgumentRow({ facts, reach: { scope, onScope }, locked }: ArgumentProps) {
  const choice = scope.arguments;
  return (
    <li className="argrow">
      <label className="l" htmlFor="scope-arguments">
        {t.rows.arguments}
      </label>
      <div className="argchoice">
        <select
          id="scope-arguments"
          className="select"
          value={choice.reach}
          onChange={(event) =>
            onScope({
              ...scope,
              arguments: withReach(facts, event.target.value as ArgumentChoice["reach"], choice),
            })
          }
        >
          {REACHES.map((reach) => (
            <option key={reach} value={reach} disabled={locked && reach === "any"}>
              {t.argument[reach]}
            </option>
          ))}
        </select>
        {choice.reach === "shape" && facts.fields.length > 0 && (
          <fieldset>
            <legend className="tiny faint">{t.fixed}</legend>
            {facts.fields.map((field) => (
              <label key={field} className="row small">
                <input
                  type="checkbox"
                  checked={choice.fixed.includes(field)}
                  onChange={() => onScope({ ...scope, arguments: toggleField(choice, field) })}
                />
                <Name value={readablePath(field).replace(/^\$\./, "")} limit={28} />
              </label>
            ))}
          </fieldset>
        )}
      </div>
    </li>
  );
}

/** "Not asked again when Cursor calls `send` of `mailer` with exactly these arguments." */
function ScopeSentence({ facts, scope, effect }: Omit<Props, "reach" | "ends"> & { scope: ScopeChoice }) {
  const { decisions } = text;
  const reach = scope.arguments;
  const fixed = reach.reach === "shape" ? reach.fixed.map((field) => field.replace(/^\//, "")) : [];
  return (
    <p className="small">
      {t.sentence[effect]}
      <b>{scope.this_app ? facts.appName : t.anyApp}</b>
      {t.calls}
      {facts.target !== null && scope.this_target ? <Name value={facts.target} /> : t.anyTool}
      {t.of}
      {scope.this_server ? <Name value={facts.upstreamName} /> : t.anyServer}{" "}
      {reach.reach === "shape" ? decisions.with.shape(fixed) : decisions.with[reach.reach]}
      {scope.these_destinations
        ? facts.destinations?.length
          ? ` ${decisions.to(facts.destinations)}`
          : ""
        : ` ${decisions.toAny}`}
      {". "}
      <span className="muted">{decisions.voids}</span>
    </p>
  );
}
