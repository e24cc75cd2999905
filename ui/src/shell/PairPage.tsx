// "Pair this browser": shown without a token, or with one the engine no longer takes.
import { type FormEvent, useEffect, useState } from "react";
import { pair } from "../api/client";
import { Button } from "../parts/controls";
import { Icon } from "../parts/Icon";
import { Failure } from "../parts/states";
import { text } from "../text";

let started: string | null = null;

export function PairPage({ code, onUsed }: { code: string | null; onUsed: () => void }) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    // Effects run twice in development; a code works once.
    if (code === null || started === code) return;
    started = code;
    setBusy(true);
    pair(code)
      .catch(setError)
      .finally(() => {
        setBusy(false);
        onUsed();
      });
  }, [code, onUsed]);

  const submit = () => {
    setBusy(true);
    setError(null);
    pair(typed)
      .catch(setError)
      .finally(() => setBusy(false));
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() !== "" && !busy) submit();
  };
  return (
    <main className="pair">
      <form className="card" onSubmit={onSubmit}>
        <div className="brand">
          <Icon name="gate" />
          {text.product}
        </div>
        <h1>{text.pair.title}</h1>
        <p className="muted">{text.pair.lead}</p>
        <pre className="code">{text.pair.command}</pre>
        <p className="muted">{text.pair.typeIt}</p>
        <label className="paircode">
          <span className="small">{text.pair.code}</span>
          <input
            className="field mono"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="one-time-code"
            autoCapitalize="off"
            spellCheck={false}
            // biome-ignore lint/a11y/noAutofocus: the only thing to do on this page
            autoFocus
          />
        </label>
        {error !== null && <Failure error={error} />}
        <Button look="solid" submit off={busy || typed.trim() === ""}>
          {busy ? text.pair.pairing : text.pair.submit}
        </Button>
      </form>
    </main>
  );
}
