// What a person needs to decide: the exact arguments with what matched, what it says decoded, where the value came from,
// why there is a question, what is known of server and tool.
import { useMemo, useState } from "react";
import { DecodedPart } from "../../exchange/Findings";
import { Folded } from "../../exchange/MessageText";
import { firstSentence } from "../../lib/cut";
import { useNow } from "../../lib/hooks";
import { layout } from "../../lib/layout";
import { locate, type Mark, mergeMarks } from "../../lib/marks";
import { partsOf } from "../../lib/parts";
import { toLines } from "../../lib/pieces";
import { strongestFirst } from "../../lib/session";
import { byteLength } from "../../lib/spans";
import { ago, bytes, onWhen } from "../../lib/time";
import { Name, Revealed } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Link } from "../../parts/Link";
import { Prose } from "../../parts/Prose";
import { Bars } from "../../parts/Verdict";
import { text } from "../../text";
import type { Ask } from "../../types";

const t = text.ask;
const AROUND = 2;
const UNFOLDED = 7;

export function AskFacts({ ask }: { ask: Ask }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <div className="body ruled askbody" tabIndex={0} role="region" aria-label={t.facts}>
      <Arguments ask={ask} raw={ask.message} marked heading={headingOf(ask)} />
      <Decoded ask={ask} />
      <section>
        <h3>{t.origin}</h3>
        <Origins ask={ask} />
      </section>
      <Why ask={ask} />
    </div>
  );
}

/** Only what was seen; never a guess. */
function Origins({ ask }: { ask: Ask }) {
  const now = useNow(10_000);
  if (ask.origins.length === 0) return <p className="small muted">{t.originUnknown}</p>;
  return (
    <ul className="small originlist">
      {ask.origins.map((origin) => (
        <li key={origin.argument}>
          <b>
            <Name value={origin.argument.replace(/^\//, "") || t.arguments} limit={24} />
          </b>{" "}
          {origin.whole ? t.originWhole : t.originPart} <Name value={origin.upstream_name} limit={24} /> /{" "}
          <Name value={origin.target ?? origin.method} limit={32} />,{" "}
          <span className="num">{t.originWhen(ago(origin.at, now))}</span>
        </li>
      ))}
    </ul>
  );
}

const headingOf = (ask: Ask) => (ask.direction === "to_client" ? t.content : t.arguments);

type ArgumentsProps = { ask: Ask; raw: string; marked: boolean; heading: string };

export function Arguments({ ask, raw, marked, heading }: ArgumentsProps) {
  const [whole, setWhole] = useState(false);
  const laid = useMemo(() => layout(raw), [raw]);
  const marks = useMemo(() => {
    const found = marked ? ask.findings.map((finding) => locate(raw, laid, finding)) : [];
    return mergeMarks(found.filter((mark): mark is Mark => mark !== null));
  }, [raw, laid, ask.findings, marked]);
  const parts = useMemo(() => partsOf(raw, laid, marks, ask.direction), [raw, laid, marks, ask.direction]);
  const kept = byteLength(raw);
  const asRaw = whole || parts.length === 0 || (marks.length > 0 && !parts.some((part) => part.marked));
  return (
    <section>
      <div className="row spread">
        <h3>{heading}</h3>
        <span className="tiny faint">
          {!asRaw && t.allShown(parts.length)}{" "}
          {parts.length > 0 && (
            <button type="button" className="linklike tiny" onClick={() => setWhole(!asRaw)}>
              {asRaw ? t.readable : t.raw}
            </button>
          )}
        </span>
      </div>
      {asRaw ? (
        <Folded
          lines={toLines(laid, marks, true)}
          around={AROUND}
          unfolded={14}
          seek={false}
          label={heading}
        />
      ) : (
        <dl className="code args">
          {parts.map((part) => (
            <div key={part.label}>
              <dt>
                <Name value={part.label} limit={24} />
              </dt>
              <dd>
                <Folded
                  lines={toLines(part, part.marks, true)}
                  around={AROUND}
                  unfolded={UNFOLDED}
                  seek={false}
                  label={part.label}
                />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {marked && kept < ask.message_bytes && (
        <p className="small">
          <Icon name="triangle" /> {t.cut(bytes(kept), bytes(ask.message_bytes))}
        </p>
      )}
    </section>
  );
}

function Decoded({ ask }: { ask: Ask }) {
  const parts = new Map(
    ask.findings.flatMap((one) => (one.decoded ? [[one.decoded.text, one.decoded]] : [])),
  );
  return [...parts.values()].map((part) => <DecodedPart key={part.text} decoded={part} />);
}

function Why({ ask }: { ask: Ask }) {
  const now = useNow(60_000);
  const { history, definition } = ask;
  const bySignature = new Map(strongestFirst(ask.findings).map((one) => [one.signature, one]));
  return (
    <section>
      <h3>{t.why}</h3>
      <ul className="askwhy small muted">
        {[...bySignature.values()].map((finding) => (
          <li key={finding.signature}>
            <Bars severity={finding.severity} />
            <span>
              <b>{text.severity[finding.severity]}</b> ·{" "}
              <Link to={{ page: "signatures", open: finding.signature }}>{finding.signature}</Link>.{" "}
              <Explained ask={ask} signature={finding.signature} />
            </span>
          </li>
        ))}
        <li>
          <Icon name="traffic" />
          <span>
            {history.server_first_seen === null
              ? t.newServer
              : `${t.firstSeen(onWhen(history.server_first_seen, now))} ${t.calls(history.server_calls, history.tool_calls)}`}{" "}
            {history.asked === 0 ? t.neverAsked : t.asked(history.asked, history.allowed)}
          </span>
        </li>
        <li>
          <Icon name="signatures" />
          {definition === null ? (
            <span>{t.noDefinition}</span>
          ) : (
            <span>
              {t.definition}:{" "}
              <q className="name hostile">
                <Revealed value={firstSentence(definition.description)} />
              </q>{" "}
              {t.pinned(onWhen(definition.pinned_at, now), definition.approved_by_person)}{" "}
              {definition.changed && <b>{t.changed}</b>}
            </span>
          )}
        </li>
        {ask.held > 1 && (
          <li>
            <Icon name="ask" />
            <span>{t.joined(ask.held)}</span>
          </li>
        )}
      </ul>
    </section>
  );
}

function Explained({ ask, signature }: { ask: Ask; signature: string }) {
  const found = ask.explanations.find((one) => one.signature === signature);
  return found === undefined ? null : <Prose words={firstSentence(found.description).replace(/ …$/, "")} />;
}
