// The one place with drawings: 16 px, 1.5 px strokes, `f` filled. Always decorative: a word stands beside each.
import type { ReactNode } from "react";

const DRAWINGS = {
  gate: <path d="M2.5 14V7a5.5 5.5 0 0 1 11 0v7M6 3.2V14M10 3.2V14M2.5 9.2h11" />,
  overview: (
    <>
      <rect x="2" y="2.5" width="5" height="5" rx="1" />
      <rect x="9" y="2.5" width="5" height="5" rx="1" />
      <rect x="2" y="9.5" width="5" height="4" rx="1" />
      <rect x="9" y="9.5" width="5" height="4" rx="1" />
    </>
  ),
  alerts: (
    <>
      <path d="M8 2v7" />
      <circle className="f" cx="8" cy="12.6" r="1.1" />
    </>
  ),
  traffic: <path d="M2 5.5h11M10.5 3 13 5.5 10.5 8M14 10.5H3M5.5 8 3 10.5 5.5 13" />,
  apps: (
    <>
      <rect x="2" y="3" width="12" height="10" rx="1.5" />
      <path d="M2 6h12" />
    </>
  ),
  signatures: (
    <>
      <path d="M3 3.5h10M3 8h6M3 12.5h4" />
      <circle cx="11.3" cy="10.6" r="2.2" />
      <path d="m13 12.3 1.4 1.4" />
    </>
  ),
  export: <path d="M8 2v8M4.8 6.8 8 10l3.2-3.2M2.5 13.5h11" />,
  decisions: (
    <>
      <path d="M8 2v12M4 14h8M3 4.5h10" />
      <path d="m3 4.5-1.6 4h3.2ZM13 4.5l-1.6 4h3.2Z" />
    </>
  ),
  settings: (
    <>
      <path d="M2 5h7M12.5 5H14M2 11h1.5M7 11h7" />
      <circle cx="10.8" cy="5" r="1.7" />
      <circle cx="5.2" cy="11" r="1.7" />
    </>
  ),
  drill: (
    <>
      <circle cx="8" cy="8" r="6" />
      <circle cx="8" cy="8" r="2.6" />
      <path d="M8 .8v3M8 12.2v3M.8 8h3M12.2 8h3" />
    </>
  ),
  pause: <path d="M5.5 3.5v9M10.5 3.5v9" strokeWidth="2.2" />,
  play: <path d="M5 3.2v9.6L12.8 8Z" />,
  down: <path d="m4 6 4 4 4-4" />,
  right: <path d="m6 4 4 4-4 4" />,
  back: <path d="M13 8H3M6.5 4.5 3 8l3.5 3.5" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  check: <path d="m3.5 8.3 3 3 6-6.6" />,
  search: (
    <>
      <circle cx="7" cy="7" r="4.2" />
      <path d="m10.2 10.2 3.3 3.3" />
    </>
  ),
  seen: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M5.4 8.2 7.2 10l3.5-3.8" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.6V8l2.3 1.6" />
    </>
  ),
  crossed: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m3.8 12.2 8.4-8.4" />
    </>
  ),
  triangle: (
    <>
      <path d="M8 2.2 14.4 13.4H1.6Z" />
      <path d="M8 6.6v3" />
      <circle className="f" cx="8" cy="11.5" r=".8" />
    </>
  ),
  block: (
    <>
      <path className="f" d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3Z" />
      <path d="M5 8h6" className="knockout" />
    </>
  ),
  ask: (
    <>
      <path d="M8 1.6 14.4 8 8 14.4 1.6 8Z" />
      <path d="M6.5 6.7a1.5 1.5 0 1 1 2.2 1.3c-.5.3-.7.6-.7 1" />
      <circle className="f" cx="8" cy="10.9" r=".85" />
    </>
  ),
  flag: <path d="M4 14V2.5h8.5L10.6 6l1.9 3.5H4" />,
  redact: (
    <>
      <path d="M2.5 4h11M2.5 12h6" />
      <rect className="f" x="2" y="6.3" width="12" height="3.6" rx=".8" />
    </>
  ),
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof DRAWINGS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="i" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {DRAWINGS[name]}
    </svg>
  );
}
