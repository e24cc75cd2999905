// The frame around every page: sidebar, bars, the page, global keys.
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { connection } from "../api/client";
import { useKeys } from "../lib/keys";
import { navigate, type Page, useRoute } from "../lib/route";
import { useStore } from "../lib/store";
import { AlertsPage } from "../pages/alerts/AlertsPage";
import { AppsPage } from "../pages/apps/AppsPage";
import { DrillPage } from "../pages/drill/DrillPage";
import { OverviewPage } from "../pages/overview/OverviewPage";
import { TrafficPage } from "../pages/traffic/TrafficPage";
import { text } from "../text";
import { Bars } from "./Bars";
import { GoTo } from "./GoTo";
import { KeyList } from "./KeyList";
import { Sidebar } from "./Sidebar";

// The two pages that are opened least are fetched when they are opened.
const SignaturesPage = lazy(() => import("../pages/signatures/SignaturesPage"));
const SettingsPage = lazy(() => import("../pages/settings/SettingsPage"));

const PAGES: Record<Page, () => ReactNode> = {
  overview: () => <OverviewPage />,
  alerts: () => <AlertsPage />,
  traffic: () => <TrafficPage />,
  apps: () => <AppsPage />,
  signatures: () => <SignaturesPage />,
  settings: () => <SettingsPage />,
  drill: () => <DrillPage />,
};

export function Frame() {
  const { page } = useRoute();
  const { down } = useStore(connection);
  const [box, setBox] = useState<"keys" | "goto" | null>(null);
  useEffect(() => {
    document.title = `${text.pages[page]} · ${text.product}`;
  }, [page]);
  const go = (to: Page) => () => navigate({ page: to });
  useKeys({
    "g o": go("overview"),
    "g a": go("alerts"),
    "g t": go("traffic"),
    "g p": go("apps"),
    "g s": go("signatures"),
    "g ,": go("settings"),
    "g d": go("drill"),
    "?": () => setBox("keys"),
    "Ctrl k": () => setBox("goto"),
    c: () => void navigator.clipboard?.writeText(location.href).catch(() => {}),
  });
  return (
    <div className="app">
      <button type="button" className="skip" onClick={() => document.getElementById("main")?.focus()}>
        {text.nav.skip}
      </button>
      <Sidebar page={page} />
      <main className={`main ${down === null ? "" : "stale"}`} id="main" tabIndex={-1}>
        <Bars />
        <Suspense fallback={null}>{PAGES[page]()}</Suspense>
      </main>
      {box === "keys" && <KeyList onClose={() => setBox(null)} />}
      {box === "goto" && <GoTo onClose={() => setBox(null)} />}
    </div>
  );
}
