// One Chromium for a test file, a fresh context per page (or one page for many looks), and everything a page complains
// about.
import { type Browser, chromium, type Page } from "playwright-core";

/** What Chromium starts for the address bar of every window: three more renderers beside the page that is tested. A second
 * list replaces Playwright's own, so what matters of that stands here, too. */
const OFF = [
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxFullPopup",
  "AimEnabled",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
];
const ARGS = [
  `--disable-features=${OFF.join(",")}`,
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

export function launch(): Promise<Browser> {
  // Chromium refuses its own sandbox to root, and containers often have no user namespaces.
  const args = process.getuid?.() === 0 ? [...ARGS, "--no-sandbox"] : ARGS;
  return chromium.launch({
    executablePath: process.env.PORTCULLIS_CHROMIUM ?? "/usr/bin/chromium",
    args,
    headless: true,
  });
}

export type Opened = { page: Page; complaints: string[]; close(): Promise<void> };
type Look = {
  width?: number;
  height?: number;
  scheme?: "light" | "dark";
  token?: string | null;
  fresh?: boolean;
};

/** What a page has asked the engine and not yet heard. */
const waiting = new WeakMap<Page, Set<unknown>>();
/** Pages that are told what happens. */
const streaming = new WeakSet<Page>();
export const isTold = (page: Page) => streaming.has(page);
function watch(page: Page) {
  const asked = new Set<unknown>();
  waiting.set(page, asked);
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/api/") && pathname !== "/api/events") asked.add(request);
  });
  page.on("response", (response) => {
    if (new URL(response.url()).pathname === "/api/events" && response.ok()) streaming.add(page);
  });
  page.on("requestfinished", (request) => asked.delete(request));
  page.on("requestfailed", (request) => asked.delete(request));
}

/** Every question of the page is answered, and what the answers say is drawn. */
export async function answered(page: Page) {
  await until(() => waiting.get(page)?.size === 0, "the page has its answers");
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Opens `path` of the dashboard; with a token the browser counts as paired. */
export async function open(
  browser: Browser,
  address: string,
  path: string,
  look: Look = {},
): Promise<Opened> {
  const complaints: string[] = [];
  const page = await blank(browser, address, look, (what) => complaints.push(what));
  await page.goto(address + path);
  const close = async () => {
    // Chromium never answers when a context is closed while its page goes elsewhere, as a question's window does
    // after the answer.
    await leave(page);
    await page.context().close();
  };
  return { page, complaints, close };
}

/** Opens one page again and again: a context costs more than looking at a page does. For tests that leave nothing behind
 * in it (routes, a clock, a place of the mouse, what the browser remembers). One after the other. */
export function onePage(browser: Browser, address: string, token: string) {
  let complaints: string[] = [];
  let made: Promise<Page> | undefined;
  return async (path: string, look: Pick<Look, "width" | "height" | "scheme"> = {}): Promise<Opened> => {
    made ??= blank(browser, address, { token }, (what) => complaints.push(what));
    const page = await made;
    // From a page to the same page is no new start.
    await leave(page);
    waiting.get(page)?.clear();
    streaming.delete(page);
    await page.setViewportSize(sizeOf(look));
    await page.emulateMedia({ colorScheme: look.scheme ?? "light" });
    const own: string[] = [];
    complaints = own;
    await page.goto(address + path);
    // What was opened since then is not this one's to close.
    return { page, complaints: own, close: async () => void (complaints === own && (await leave(page))) };
  };
}

/** What the page does by itself meanwhile, as a question's window does after the answer, can come in between. */
async function leave(page: Page) {
  if (page.isClosed()) return;
  await until(async () => {
    if (page.url() !== "about:blank") await page.goto("about:blank").catch(() => {});
    return page.url() === "about:blank";
  }, "the page went nowhere");
}

const sizeOf = ({ width = 1200, height = 800 }: Look) => ({ width, height });

/** A page with nothing in it yet, in a context of its own. */
async function blank(browser: Browser, address: string, look: Look, complain: (what: string) => void) {
  const context = await browser.newContext({
    viewport: sizeOf(look),
    colorScheme: look.scheme ?? "light",
    reducedMotion: "reduce",
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: address });
  // Who has been here before is not led into the first run.
  const known = { where: address, token: look.token ?? null, welcomed: !look.fresh };
  await context.addInitScript(({ where, token, welcomed }) => {
    if (location.origin !== where) return;
    if (token !== null) localStorage.setItem("portcullis.token", token);
    if (welcomed && localStorage.getItem("portcullis.prefs") === null)
      localStorage.setItem("portcullis.prefs", JSON.stringify({ welcomed }));
  }, known);
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  watch(page);
  page.on("pageerror", (error) => complain(`page error: ${error.message}`));
  page.on("console", (message) => {
    // A refused request is a state of the product; a broken policy or a script error is not.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complain(message.text());
  });
  return page;
}

/** Polls until `check` holds: for facts outside the page (what the server was told). */
export async function until(
  check: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 30_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Clicks until the view has changed: the first moments of a view take no input. */
export async function press(page: Page, name: string, done: () => Promise<boolean>) {
  await until(async () => {
    if (await done()) return true;
    await page
      .getByRole("button", { name, exact: true })
      .click({ timeout: 1000 })
      .catch(() => {});
    return done();
  }, `${name} did something`);
}
