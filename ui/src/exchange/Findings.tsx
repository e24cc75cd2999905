// Findings one by one: Signature, severity, where, and what a hidden or encoded part says.
import { readablePath } from "../lib/path";
import { Block, Name } from "../parts/Hostile";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { Prose } from "../parts/Prose";
import { SeverityBars } from "../parts/Verdict";
import { text } from "../text";
import type { Decoded, Explanation, Finding } from "../types";

const PATHS_SHOWN = 3;

/** One head per Signature: the same one may have matched at many paths. The first one's title is often said above. */
export function FindingHeads({ findings, titled = false }: { findings: Finding[]; titled?: boolean }) {
  const groups = new Map<string, Finding[]>();
  for (const one of findings) groups.set(one.signature, [...(groups.get(one.signature) ?? []), one]);
  return [...groups].map(([signature, [first, ...others]], i) =>
    first === undefined ? null : (
      <div key={signature}>
        {(titled || i > 0) && (
          <p className="small">
            <Prose words={first.title} />
          </p>
        )}
        <FindingHead finding={first} others={others} />
      </div>
    ),
  );
}

function FindingHead({ finding, others = [] }: { finding: Finding; others?: Finding[] }) {
  const paths = [...new Set([finding, ...others].map((one) => one.json_path))];
  const icon = finding.verdict === "allow" ? null : finding.verdict;
  return (
    <div className={`find f-${finding.verdict}`}>
      <div className="row wrap">
        <b className={`v-${finding.verdict} row tight`}>
          {icon && <Icon name={icon} />}
          <Link className="plain mono" to={{ page: "signatures", open: finding.signature }}>
            {finding.signature}
          </Link>
        </b>
        <SeverityBars severity={finding.severity} word />
        <span className="small faint">{text.detail.confidence[finding.confidence]}</span>
      </div>
      <span className="small muted">
        {text.detail.at}{" "}
        {paths.slice(0, PATHS_SHOWN).map((path, i) => (
          <span key={path}>
            {i > 0 && ", "}
            {path === "" ? text.detail.wholeMessage : <Name value={readablePath(path)} full />}
          </span>
        ))}
        {paths.length > PATHS_SHOWN && ` ${text.detail.morePaths(paths.length - PATHS_SHOWN)}`}
      </span>
    </div>
  );
}

/** Each step of decoding is a left-ruled block, the outermost first. */
export function DecodedPart({ decoded }: { decoded: Decoded }) {
  const invisible = decoded.from.length === 1 && /unicode|tag|invisible/.test(decoded.from[0] ?? "");
  const length = Array.from(decoded.text).length;
  return (
    <section className="decoded">
      <h3>{invisible ? text.detail.invisible : text.detail.decoded(decoded.from, length)}</h3>
      <Block value={decoded.text} marked />
    </section>
  );
}

export function FindingList({
  findings,
  explanations,
}: {
  findings: Finding[];
  explanations: Explanation[];
}) {
  if (findings.length === 0) return <p className="muted small">{text.detail.noFindings}</p>;
  return findings.map((finding, i) => (
    <section key={i} className="findingbox">
      <p>
        <Prose words={finding.title} />
      </p>
      <FindingHead finding={finding} />
      {finding.matched !== "" && <Block value={finding.matched} marked />}
      {finding.decoded && <DecodedPart decoded={finding.decoded} />}
      <Why explanation={explanations.find((one) => one.signature === finding.signature)} />
    </section>
  ));
}

export function Why({ explanation }: { explanation: Explanation | undefined }) {
  if (!explanation) return null;
  return (
    <>
      <h3>{text.alerts.why}</h3>
      <p className="small prose">
        <Prose words={explanation.description} />
      </p>
      <h3>{text.alerts.advice}</h3>
      <p className="small prose">
        <Prose words={explanation.advice} />
      </p>
    </>
  );
}
