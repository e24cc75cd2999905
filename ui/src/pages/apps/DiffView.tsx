// What one file would look like: removed and added lines with a little around them.
import { hunks } from "../../lib/diff";
import { Name, Revealed } from "../../parts/Hostile";
import { text } from "../../text";
import type { FilePreview } from "../../types";

const CLASS = { same: undefined, removed: "d", added: "a" } as const;

export function DiffView({ file }: { file: FilePreview }) {
  const parts = hunks(file.diff);
  return (
    <>
      {parts.length > 0 && (
        <div className="diff" dir="ltr">
          {parts.map((hunk) => (
            <div key={hunk.from} className="hunk">
              <div className="h">
                <Name value={file.path} full /> · {text.preview.lines(hunk.from, hunk.to)}
              </div>
              {hunk.lines.map((line) => (
                <div key={`${line.tag}${line.old_line}-${line.new_line}`} className={CLASS[line.tag]}>
                  {line.tag !== "same" && <span className="vh">{line.tag} </span>}
                  <Revealed value={line.text} />
                </div>
              ))}
            </div>
          ))}
        </div>
      )}
      {file.refused !== null && (
        <p className="small" role="alert">
          <b>{text.preview.refused}</b> {file.refused}
        </p>
      )}
      {file.warning && <p className="small">{file.warning}</p>}
      {file.queued && <p className="small muted">{text.preview.queued}</p>}
      <ul className="plans small muted">
        {file.servers
          .filter((plan) => plan.change === "nothing" && plan.reason !== null)
          .map((plan) => (
            <li key={plan.name}>
              <Name value={plan.name} /> {text.preview.stays}: {plan.reason}
            </li>
          ))}
      </ul>
    </>
  );
}
