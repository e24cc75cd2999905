// The two shapes of the Settings page: a card with a title, a line with its control at the right.
import type { ReactNode } from "react";

export function Group({ title, more, children }: { title: string; more?: string; children: ReactNode }) {
  return (
    <section className="card group" aria-label={title}>
      <header>
        <h2 className="grow">{title}</h2>
      </header>
      {children}
      {more !== undefined && <p className="small muted below">{more}</p>}
    </section>
  );
}

export function Line({ title, more, children }: { title: string; more?: string; children: ReactNode }) {
  return (
    <div className="setline">
      <div className="grow">
        <div>{title}</div>
        {more !== undefined && <div className="small faint">{more}</div>}
      </div>
      {children}
    </div>
  );
}
