// One Alert: what was found and where, why it is looked for, what to do, what came before and after, the review.
import { useExchange, useNames } from "../../api/queries";
import { DecodedPart, FindingHeads, Why } from "../../exchange/Findings";
import { Head } from "../../exchange/Head";
import { MessagePart } from "../../exchange/Parts";
import { Trail } from "../../exchange/Trail";
import { useKeys } from "../../lib/keys";
import { sideOf } from "../../lib/marks";
import { strongestFirst } from "../../lib/session";
import { Link } from "../../parts/Link";
import { Waiting } from "../../parts/states";
import { text } from "../../text";
import type { ExchangeDetail } from "../../types";
import { ReviewBar } from "./ReviewBar";

export function AlertDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const detail = useExchange(id);
  const names = useNames();
  useKeys({ Escape: onClose });
  return (
    <aside className="det" aria-label={text.alerts.detail}>
      <Waiting query={names.before(detail)} rows={5} />
      {names.ready && detail.data && (
        <>
          <Head exchange={detail.data.exchange} onClose={onClose} />
          <Facts detail={detail.data} />
          <ReviewBar detail={detail.data} />
        </>
      )}
    </aside>
  );
}

function Facts({ detail }: { detail: ExchangeDetail }) {
  const { exchange, explanations } = detail;
  const findings = strongestFirst(exchange.findings);
  const sides = (["request", "response"] as const).filter((side) =>
    findings.some((one) => sideOf(one) === side),
  );
  // The strongest and what matched are seen first, without scrolling past the others.
  const first = findings.filter((one) => one.signature === findings[0]?.signature);
  const others = findings.filter((one) => !first.includes(one));
  const decoded = new Map(findings.flatMap((one) => (one.decoded ? [[one.decoded.text, one.decoded]] : [])));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <div className="body ruled" tabIndex={0} role="region" aria-label={text.alerts.detail}>
      <FindingHeads findings={first} />
      {(sides.length > 0 ? sides : (["request"] as const)).map((side) => (
        <MessagePart key={side} exchange={exchange} side={side} around={2} unfolded={10} />
      ))}
      {[...decoded.values()].map((part) => (
        <DecodedPart key={part.text} decoded={part} />
      ))}
      {others.length > 0 && (
        <section>
          <h3>{text.alerts.others}</h3>
          <FindingHeads findings={others} titled />
        </section>
      )}
      {explanations.map((explanation) => (
        <section key={explanation.signature}>
          {explanations.length > 1 && <h3 className="mono">{explanation.signature}</h3>}
          <Why explanation={explanation} />
        </section>
      ))}
      <section>
        <div className="row spread">
          <h3>{text.alerts.trail}</h3>
          <Link className="small" to={{ page: "traffic", open: exchange.id }}>
            {text.alerts.inTraffic}
          </Link>
        </div>
        <Trail trail={detail.trail} exchange={exchange} />
      </section>
    </div>
  );
}
