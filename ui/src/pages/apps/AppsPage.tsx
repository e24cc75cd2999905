// Apps: a switch per app and per server. No switch writes by itself: it opens a preview of the exact change.

import { useEffect, useRef, useState } from "react";
import { useApps } from "../../api/queries";
import { hasServers } from "../../lib/apps";
import { useFocusKeys } from "../../lib/focus";
import { useNarrow, useSaid } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { useRoute } from "../../lib/route";
import { AppLetter } from "../../parts/AppBadge";
import { Empty, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { App, ConfigAction } from "../../types";
import { AppCard } from "./AppCard";
import { ModeSelect } from "./ModeSelect";
import { PreviewPanel } from "./PreviewPanel";
import { SignIns } from "./SignIns";

/** What the preview is about; `server` null: all servers of the app. */
export type Wanted = { app: App; server: string | null; action: ConfigAction };

export function AppsPage() {
  const apps = useApps();
  const narrow = useNarrow();
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const [looked, say] = useSaid();
  const { open } = useRoute();
  const list = useFocusKeys<HTMLDivElement>("[role=switch]");
  const shown = useRef<string | null>(null);
  useEffect(() => {
    // The tray's first switch of an app leads here (`/apps#app_cursor`): its preview opens by itself, once.
    const app = apps.data?.find((each) => each.id === open);
    if (!app || shown.current === open || app.protected === true) return;
    shown.current = open;
    setWanted({ app, server: null, action: "protect" });
  }, [open, apps.data]);
  /** The switch that opened the preview: what it is called finds it again when it was not on the page meanwhile. */
  const opener = useRef<string | null>(null);
  const want = (next: Wanted) => {
    opener.current = document.activeElement?.getAttribute("aria-label") ?? null;
    setWanted(next);
  };
  useEffect(() => {
    if (wanted !== null || opener.current === null) return;
    list.current?.querySelector<HTMLElement>(`[aria-label="${CSS.escape(opener.current)}"]`)?.focus();
    opener.current = null;
  }, [wanted, list]);
  useKeys({ Escape: () => (wanted === null ? false : setWanted(null)) });
  const all = apps.data ?? [];
  const here = all.filter((app) => app.installed || app.files.some((file) => file.exists));
  const others = all.filter((app) => !here.includes(app));
  const withServers = here.filter(hasServers);
  return (
    <>
      <header className="top">
        <div className="grow">
          <h1>{text.pages.apps}</h1>
          {apps.data && (
            <p className="small muted">
              {text.apps.found(withServers.length)}{" "}
              <button
                type="button"
                className="linklike"
                onClick={() => void apps.refetch().then(() => say(text.apps.looked))}
              >
                {text.apps.lookAgain}
              </button>{" "}
              <span role="status">{looked}</span>
            </p>
          )}
        </div>
        <span className="row small muted">
          {text.apps.mode}
          <ModeSelect of={{ app: null, upstream: null }} name="" />
        </span>
      </header>
      <div className={`cols ${wanted === null ? "alone" : ""}`}>
        {!(narrow && wanted !== null) && (
          <div className="l" ref={list}>
            <SignIns />
            <Waiting query={apps} rows={5} tall />
            {apps.data && here.length === 0 && (
              <Empty title={text.apps.none}>
                <p className="muted small">{text.apps.noneMore}</p>
              </Empty>
            )}
            {here.map((app) => (
              <AppCard
                key={app.id}
                app={app}
                wanted={wanted?.app.id === app.id ? wanted : null}
                onWant={want}
              />
            ))}
            {others.length > 0 && (
              <section className="absent small muted" aria-label={text.apps.notInstalled}>
                <h3>{text.apps.notInstalled}</h3>
                <p className="row wrap">
                  {others.map((app) => (
                    <span key={app.id} className="wi">
                      <AppLetter name={app.name} small />
                      {app.name}
                    </span>
                  ))}
                </p>
              </section>
            )}
          </div>
        )}
        {wanted !== null && (
          <PreviewPanel
            key={`${wanted.app.id}/${wanted.server}/${wanted.action}`}
            wanted={wanted}
            onClose={() => setWanted(null)}
          />
        )}
      </div>
    </>
  );
}
