// Signature files that were refused: file, line, code, what is wrong.
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { text } from "../../text";
import type { SignatureFault } from "../../types";

export function Faults({ faults }: { faults: SignatureFault[] }) {
  if (faults.length === 0) return null;
  return (
    <div className="faults" role="alert">
      <p className="row">
        <Icon name="triangle" />
        <b>{text.signatures.faults(faults.length)}</b>
      </p>
      <ul className="small">
        {faults.map((fault) => (
          <li key={`${fault.file}:${fault.line}:${fault.code}`}>
            <span className="mono">
              <Name value={fault.file} full />
            </span>
            {fault.line !== null && `, ${text.signatures.line(fault.line)}`}: {fault.message}{" "}
            <code className="faint">({fault.code})</code>
          </li>
        ))}
      </ul>
    </div>
  );
}
