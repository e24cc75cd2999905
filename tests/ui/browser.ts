// One Chromium for a test file, a fresh context per page, and everything a page complains about.
import { type Browser, chromium, type Page } from "playwright-core";

const ARGS = [
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
  const context = await browser.newContext({
    viewport: { width: look.width ?? 1200, height: look.height ?? 800 },
    colorScheme: look.scheme ?? "light",
    reducedMotion: "reduce",
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: address });
  const { token } = look;
  if (token) await context.addInitScript((value) => localStorage.setItem("portcullis.token", value), token);
  // Who has been here before is not led into the first run.
  if (!look.fresh)
    await context.addInitScript((where) => {
      if (location.origin === where && localStorage.getItem("portcullis.prefs") === null)
        localStorage.setItem("portcullis.prefs", JSON.stringify({ welcomed: true }));
    }, address);
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  watch(page);
  page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    // A refused request is a state of the product; a broken policy or a script error is not.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  await page.goto(address + path);
  const close = async () => {
    // Chromium never answers when a context is closed while its page goes elsewhere, as a question's window does
    // after the answer; that can also come in between.
    if (!page.isClosed())
      await until(async () => {
        await page.goto("about:blank").catch(() => {});
        return page.url() === "about:blank";
      }, "the page went nowhere");
    await context.close();
  };
  return { page, complaints, close };
}

/** Polls until `check` holds: for facts outside the page (what the server was told). */
export async function until(
  check: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 10_000,
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
