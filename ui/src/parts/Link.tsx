// A link inside the dashboard: a real href (middle click, copy), without loading the page again.
import type { MouseEvent, ReactNode } from "react";
import { navigate, type Route, toHref } from "../lib/route";

export type LinkProps = {
  to: Pick<Route, "page"> & Partial<Route>;
  children: ReactNode;
  className?: string;
  current?: boolean;
  hint?: string;
};

export function Link({ to, children, className, current, hint }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a
      href={toHref(to)}
      className={className}
      onClick={follow}
      aria-current={current ? "page" : undefined}
      title={hint}
    >
      {children}
    </a>
  );
}
