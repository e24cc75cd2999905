// What became of a change: written, waiting for the app to quit, and what is left to do.
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { text } from "../../text";
import type { ApplyAnswer } from "../../types";

export function Applied({ answer }: { answer: ApplyAnswer }) {
  return (
    <div className="applied" role="status">
      {answer.written.length > 0 && (
        <>
          <p className="row">
            <Icon name="check" />
            <b>{text.preview.written(answer.written.length)}</b>
          </p>
          <Paths paths={answer.written} />
        </>
      )}
      {answer.queued.length > 0 && (
        <>
          <p className="row">
            <Icon name="clock" />
            <b>{text.preview.waits(answer.queued.length)}</b>
          </p>
          <Paths paths={answer.queued} />
        </>
      )}
      {answer.written.length + answer.queued.length === 0 && <p>{text.preview.nothingWritten}</p>}
      {answer.hints.map((hint) => (
        <p key={hint} className="small muted">
          {hint}
        </p>
      ))}
    </div>
  );
}

function Paths({ paths }: { paths: string[] }) {
  return paths.map((path) => (
    <p key={path} className="mono faint tiny">
      <Name value={path} full />
    </p>
  ));
}
