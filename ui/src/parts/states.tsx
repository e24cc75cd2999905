// What a page shows when it has nothing, not yet, or no more: empty, loading, failed.
import type { ReactNode } from "react";
import { ApiFailure } from "../api/client";
import { useAfter, useWritable } from "../lib/hooks";
import { text } from "../text";
import { Button } from "./controls";
import { Icon } from "./Icon";

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p>{title}</p>
      {children}
    </div>
  );
}

/** Nothing under 150 ms, then rows of the final height. */
export function Skeleton({ rows = 6, tall = false }: { rows?: number; tall?: boolean }) {
  const visible = useAfter();
  if (!visible) return null;
  return (
    <div className="skeleton" aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => i).map((row) => (
        <div key={row} className={tall ? "tall" : undefined}>
          <span className={`w${row % 3}`} />
        </div>
      ))}
    </div>
  );
}

/** One line, the code, and Retry; old data stays where it is. */
export function Failure({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const failure = error instanceof ApiFailure ? error : null;
  const goesOn = useWritable() && failure?.code.startsWith("audit_");
  const message = failure?.message ?? (error instanceof Error ? error.message : String(error));
  return (
    <div className="failure" role="alert">
      <Icon name="triangle" />
      <span className="grow">
        {message} {goesOn && `${text.errors.going} `}
        {failure && failure.code !== "unreachable" && <code className="faint">({failure.code})</code>}
      </span>
      {retry && (
        <Button small onClick={retry}>
          {text.errors.retry}
        </Button>
      )}
    </div>
  );
}

type Asked = { isPending: boolean; isError: boolean; error: unknown; refetch: () => unknown; data: unknown };

/** The part of a page that stands on one question: skeleton, error line, or nothing when there is data. */
export function Waiting({ query, rows, tall }: { query: Asked; rows?: number; tall?: boolean }) {
  // The bar on top says it of all that is still shown.
  const isSaid =
    query.data !== undefined && query.error instanceof ApiFailure && query.error.code === "unreachable";
  if (isSaid) return null;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (query.data === undefined) return <Skeleton rows={rows} tall={tall} />;
  return null;
}
