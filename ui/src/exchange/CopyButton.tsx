// Copies and says so.
import { useEffect, useState } from "react";
import { Button } from "../parts/controls";
import { text } from "../text";

export function CopyButton({ label, value }: { label: string; value: () => string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 1500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value());
      setSaid(text.detail.copied);
    } catch {
      setSaid(text.detail.copyFailed);
    }
  };
  return (
    <Button look="quiet" small onClick={() => void copy()}>
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  );
}
