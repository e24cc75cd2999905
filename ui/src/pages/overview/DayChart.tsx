// 24 hours in bars: volume grey, Block solid, Ask hollow, Flag striped.
import { useStats } from "../../api/queries";
import { clock } from "../../lib/time";
import { Waiting } from "../../parts/states";
import { VerdictMark } from "../../parts/Verdict";
import { number, text } from "../../text";
import type { StatsBucket } from "../../types";

const HEIGHT_PX = 76;
/** Square root: a busy hour must not flatten the others to nothing. */
const barHeight = (messages: number, most: number) =>
  messages === 0 ? 2 : Math.max(4, Math.round(Math.sqrt(messages / most) * HEIGHT_PX));

export function DayChart() {
  const stats = useStats();
  const buckets = stats.data?.buckets ?? [];
  const sum = (key: "messages" | "flagged" | "asked" | "blocked") =>
    buckets.reduce((all, b) => all + b[key], 0);
  const [messages, flagged, asked, blocked] = [sum("messages"), sum("flagged"), sum("asked"), sum("blocked")];
  const legend = [
    ["block", blocked],
    ["ask", asked],
    ["flag", flagged],
  ] as const;
  return (
    <section className="card day" aria-label={text.overview.chart}>
      <header>
        <h2>{text.overview.chart}</h2>
        <div className="legend num">
          {legend.map(([verdict, count]) =>
            !stats.data || (verdict === "ask" && count === 0) ? null : (
              <span key={verdict}>
                <VerdictMark verdict={verdict} /> {number(count)}
              </span>
            ),
          )}
        </div>
      </header>
      <Waiting query={stats} rows={5} />
      {stats.data && (
        <>
          <div
            className="chart"
            role="img"
            aria-label={text.overview.chartLabel(messages, blocked, asked, flagged)}
          >
            <Bars buckets={buckets} />
          </div>
          <div className="axis num" aria-hidden="true">
            {[0, 6, 12, 18].map((hour) => {
              const bucket = buckets[hour];
              return <span key={hour}>{bucket ? clock(bucket.from) : ""}</span>;
            })}
            <span>{text.overview.now}</span>
          </div>
          <p className="small muted below">
            {messages === 0
              ? text.overview.noMessages
              : text.overview.nothingNeeded(messages - flagged - asked - blocked, messages)}
          </p>
        </>
      )}
    </section>
  );
}

function Bars({ buckets }: { buckets: StatsBucket[] }) {
  const most = Math.max(1, ...buckets.map((bucket) => bucket.messages));
  return buckets.map((bucket) => (
    <span key={bucket.from} title={`${clock(bucket.from)}: ${number(bucket.messages)}`}>
      {bucket.asked > 0 && <i className="q" />}
      {bucket.blocked > 0 && <i className="b" />}
      {bucket.flagged > 0 && <i className="fl" />}
      <i
        className={bucket.messages === 0 ? "zero" : undefined}
        style={{ height: barHeight(bucket.messages, most) }}
      />
    </span>
  ));
}
