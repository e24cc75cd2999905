// What a redacted Message really said: asked of the engine by a click each time, and gone with this view.
import { useMutation } from "@tanstack/react-query";
import { write } from "../api/client";
import { useWritable } from "../lib/hooks";
import { Button } from "../parts/controls";
import { Revealed } from "../parts/Hostile";
import { Failure } from "../parts/states";
import { text } from "../text";
import type { Original } from "../types";

const t = text.detail;
const SIDES = ["to_upstream", "to_client"] as const;

export function OriginalPart({ id }: { id: string }) {
  const off = !useWritable();
  const shown = useMutation({
    mutationFn: () => write<Original>("POST", `/api/exchanges/${encodeURIComponent(id)}/original`),
    gcTime: 0,
  });
  if (shown.data === undefined)
    return (
      <p>
        <Button small off={off || shown.isPending} onClick={() => shown.mutate()}>
          {t.original}
        </Button>
        {shown.isError && <Failure error={shown.error} />}
      </p>
    );
  const { data } = shown;
  return (
    <section aria-label={t.original}>
      <p className="small muted">{t.originalMore}</p>
      {SIDES.map((side) => {
        const said = data[side];
        return (
          said !== null && (
            <div key={side}>
              <h3>{t.originalOf[side]}</h3>
              <pre className="code">
                <Revealed value={said} />
              </pre>
            </div>
          )
        );
      })}
      <Button small onClick={() => shown.reset()}>
        {t.originalHide}
      </Button>
    </section>
  );
}
