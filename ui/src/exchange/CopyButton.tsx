// Copies and says so.
import { useSaid } from "../lib/hooks";
import { Button } from "../parts/controls";
import { text } from "../text";

export function CopyButton({ label, value }: { label: string; value: () => string }) {
  const [said, say] = useSaid();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value());
      say(text.detail.copied);
    } catch {
      say(text.detail.copyFailed);
    }
  };
  return (
    <Button look="quiet" small onClick={() => void copy()}>
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  );
}
