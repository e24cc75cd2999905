// One Message as text: laid out, matched spans marked, invisible characters as chips, long stretches folded away.
import { useEffect, useMemo, useRef, useState } from "react";
import { toBytes } from "../lib/hex";
import { layout } from "../lib/layout";
import { locate, type Mark, mergeMarks, type Side, sideOf } from "../lib/marks";
import { fold, hanging, type Line, type Run, toLines } from "../lib/pieces";
import { visible } from "../lib/reveal";
import { Segments } from "../parts/controls";
import { text } from "../text";
import type { Finding } from "../types";
import { BytesView } from "./BytesView";
import { CopyButton } from "./CopyButton";

export type View = keyof typeof text.detail.views;
type Props = {
  raw: string;
  side: Side;
  findings: Finding[];
  heading: string;
  view: View;
  onView: (view: View) => void;
  /** Lines kept around a mark; fewer in an Alert than in Traffic. */
  around: number;
  unfolded: number;
  /** Whether the first mark is scrolled into view. */
  seek: boolean;
};

export function MessageText(props: Props) {
  const { raw, findings, side } = props;
  const laid = useMemo(() => layout(raw), [raw]);
  const marks = useMemo(() => {
    const found = findings
      .filter((finding) => sideOf(finding) === side)
      .map((finding) => locate(raw, laid, finding));
    return mergeMarks(found.filter((mark): mark is Mark => mark !== null));
  }, [raw, laid, findings, side]);
  const lines = useMemo(() => toLines(laid, marks, props.view === "revealed"), [laid, marks, props.view]);
  const views = (Object.keys(text.detail.views) as View[]).map((value) => ({
    value,
    label: text.detail.views[value],
  }));
  return (
    <section className="message" aria-label={props.heading}>
      <div className="row spread wrap">
        <h3>{props.heading}</h3>
        <Segments label={text.detail.viewsLabel} options={views} value={props.view} onChange={props.onView} />
      </div>
      {props.view === "bytes" ? (
        <BytesView key={raw} raw={raw} marks={marks.map((mark) => toBytes(raw, laid, mark))} />
      ) : (
        <Folded
          key={raw}
          lines={lines}
          around={props.around}
          unfolded={props.unfolded}
          seek={props.seek}
          label={props.heading}
        />
      )}
      <div className="row copies">
        <CopyButton label={text.detail.copy} value={() => visible(laid.text)} />
        <CopyButton label={text.detail.copyExact} value={() => raw} />
      </div>
    </section>
  );
}

type FoldedProps = Pick<Props, "around" | "unfolded" | "seek"> & { lines: Line[]; label: string };

export function Folded({ lines, around, unfolded, seek, label }: FoldedProps) {
  const [open, setOpen] = useState<number[]>([]);
  const box = useRef<HTMLDivElement>(null);
  const folds = useMemo(() => fold(lines, around, unfolded), [lines, around, unfolded]);
  useEffect(() => {
    if (seek) box.current?.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }, [seek]);
  return (
    <div
      className="code tall"
      dir="ltr"
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      // no landmark: its name may be one that a server chose
      role="group"
      aria-label={label}
    >
      {folds.map((part) =>
        part.kind === "lines" ? (
          <Lines key={part.from} lines={part.lines} from={part.from} />
        ) : open.includes(part.from) ? (
          <Lines key={part.from} lines={lines.slice(part.from, part.from + part.count)} from={part.from} />
        ) : (
          <button
            key={part.from}
            type="button"
            className="fold"
            onClick={() => setOpen([...open, part.from])}
          >
            {text.detail.hidden(part.count)}
          </button>
        ),
      )}
    </div>
  );
}

function Lines({ lines, from }: { lines: Line[]; from: number }) {
  const hangs = hanging(lines);
  return lines.map((line, i) => (
    // Wrapped parts of a line stand under its text, not at the edge.
    <div
      key={from + i}
      className="line"
      style={{ paddingLeft: `${hangs[i]?.left ?? 0}ch`, textIndent: `${hangs[i]?.first ?? 0}ch` }}
    >
      {line.length === 0
        ? "\u200b"
        : line.map((run, j) =>
            j === 0 && run.kind === "space" ? null : (
              <RunText key={j} run={run} before={line[j - 1]} after={line[j + 1]} />
            ),
          )}
    </div>
  ));
}

const LOOK: Partial<Record<Run["kind"], string>> = { key: "k", punctuation: "k", string: "s", literal: "s" };

function RunText({ run, before, after }: { run: Run; before: Run | undefined; after: Run | undefined }) {
  const shown =
    run.special?.kind === "chip" ? (
      <span className="ghost" title={run.special.explains}>
        {run.special.label}
      </span>
    ) : (
      <span
        className={`${LOOK[run.kind] ?? ""} ${run.special ? "lookalike" : ""}`.trim() || undefined}
        title={run.special?.explains}
      >
        {run.text}
      </span>
    );
  if (!run.marked) return shown;
  return (
    <mark>
      {!before?.marked && <span className="vh">{text.detail.matchStarts} </span>}
      {shown}
      {!after?.marked && <span className="vh"> {text.detail.matchEnds}</span>}
    </mark>
  );
}
