// `?`: every key.
import { Dialog } from "../parts/Dialog";
import { text } from "../text";

export function KeyTable() {
  return (
    <dl className="keys">
      {text.keys.map(([key, means]) => (
        <div key={key}>
          <dt>
            {key.split(" ").map((part) =>
              part === "then" ? (
                <span key={part} className="faint small">
                  {part}
                </span>
              ) : (
                <kbd key={part}>{part}</kbd>
              ),
            )}
          </dt>
          <dd>{means}</dd>
        </div>
      ))}
    </dl>
  );
}

export function KeyList({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={text.keysTitle} onClose={onClose}>
      <KeyTable />
    </Dialog>
  );
}
