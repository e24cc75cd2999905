// The frame around every page: sidebar, bars, the page, global keys.

import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { connection } from "../api/client";
import { useApps, useStatus } from "../api/queries";
import { hasServers, isProtected } from "../lib/apps";
import { useSaid } from "../lib/hooks";
import { useKeys } from "../lib/keys";
import { changePrefs, prefs } from "../lib/prefs";
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

// Pages that are opened seldom are fetched when they are opened.
const SignaturesPage = lazy(() => import("../pages/signatures/SignaturesPage"));
const AskPage = lazy(() => import("../pages/ask/AskPage"));
const AskWindow = lazy(() => import("../pages/ask/AskWindow"));
const DecisionsPage = lazy(() => import("../pages/decisions/DecisionsPage"));
const PinsPage = lazy(() => import("../pages/pins/PinsPage"));
const ReportPage = lazy(() => import("../pages/report/ReportPage"));
const WelcomePage = lazy(() => import("../pages/welcome/WelcomePage"));
const SettingsPage = lazy(() => import("../pages/settings/SettingsPage"));

const PAGES: Record<Page, () => ReactNode> = {
  overview: () => <OverviewPage />,
  alerts: () => <AlertsPage />,
  traffic: () => <TrafficPage />,
  apps: () => <AppsPage />,
  signatures: () => <SignaturesPage />,
  decisions: () => <DecisionsPage />,
  settings: () => <SettingsPage />,
  drill: () => <DrillPage />,
  ask: () => <AskPage />,
  report: () => <ReportPage />,
  welcome: () => <WelcomePage />,
  pins: () => <PinsPage />,
};

/** `/ask?window` is the small window: a question and nothing else. */
export function Frame() {
  const { page, search } = useRoute();
  const small = page === "ask" && new URLSearchParams(search).has("window");
  useEffect(() => {
    document.title = `${text.pages[page]} · ${text.product}`;
  }, [page]);
  if (!small) return <Whole page={page} />;
  return (
    <Suspense fallback={null}>
      <AskWindow />
    </Suspense>
  );
}

function Whole({ page }: { page: Page }) {
  const { down } = useStore(connection);
  const [box, setBox] = useState<"keys" | "goto" | null>(null);
  useFirstRun(page);
  const [said, say] = useSaid();
  const copyLink = () =>
    navigator.clipboard.writeText(location.href).then(
      () => say(text.nav.linkCopied),
      () => say(text.detail.copyFailed),
    );
  const go = (to: Page) => () => navigate({ page: to });
  useKeys({
    "g o": go("overview"),
    "g a": go("alerts"),
    "g t": go("traffic"),
    "g p": go("apps"),
    "g s": go("signatures"),
    "g ,": go("settings"),
    "g d": go("decisions"),
    "g q": go("ask"),
    "g f": go("pins"),
    "?": () => setBox("keys"),
    "Ctrl k": () => setBox("goto"),
    c: () => void copyLink(),
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
      <p className={said === null ? "vh" : "toast small"} role="status">
        {said}
      </p>
      {box === "keys" && <KeyList onClose={() => setBox(null)} />}
      {box === "goto" && <GoTo onClose={() => setBox(null)} />}
    </div>
  );
}

/** A new installation begins with the first run; who has protected an app or left it once is not led there again. */
function useFirstRun(page: Page) {
  const apps = useApps().data;
  const status = useStatus().data;
  useEffect(() => {
    if (page !== "overview" || prefs.get().welcomed || !apps || !status) return;
    const used = status.last_message_at !== null || apps.some(isProtected);
    if (used) changePrefs({ welcomed: true });
    else if (apps.some(hasServers)) navigate({ page: "welcome" }, "replace");
  }, [page, apps, status]);
}
