// Every page against axe (WCAG 2.2 A and AA), light and dark. FIXTURE: full pages with every observed state.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, onePage, open, press } from "./browser";
import { mailAsk, pageAsk, visitAsk } from "./fixture/asks";
import { Fixture, TOKEN } from "./fixture/server";
import { fullWorld } from "./fixture/worlds";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RUN = `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then((found) =>
  found.violations.flatMap((one) => one.nodes.map((node) => one.id + ": " + node.html.slice(0, 160) + " " + (node.any[0]?.message ?? ""))))`;

/** What axe does not ask: one title for a page, no level left out, and controls that are told apart by what is read out. */
const UNCLEAR = `(() => {
  const found = [];
  const seen = (one) => one.checkVisibility() && !one.closest("[aria-hidden=true]");
  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter((one) => seen(one) && !one.closest("[role=alertdialog], dialog"));
  const titles = headings.filter((one) => one.tagName === "H1").map((one) => one.textContent);
  if (titles.length > 1) found.push("several titles: " + titles.join(" | "));
  headings.reduce((before, one) => {
    const level = Number(one.tagName[1]);
    if (level > before + 1) found.push("level left out before: " + one.textContent);
    return level;
  }, headings.length > 0 ? Number(headings[0].tagName[1]) : 0);
  const names = new Map();
  for (const one of document.querySelectorAll("button:not(.fold), select, input:not([type=radio]), a.btn")) {
    if (!seen(one)) continue;
    const part = one.closest("[role=region], [role=group], [role=dialog], section[aria-label], dialog")?.getAttribute("aria-label") ?? "";
    const described = (one.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const name = one.getAttribute("aria-label") ?? ((one.labels?.[0] ?? one).textContent.trim());
    const key = [part, name, described].join(" / ");
    if (names.has(key) || name === "") found.push("not told apart: " + key);
    names.set(key, one);
  }
  for (const one of document.querySelectorAll("label:has(kbd)"))
    if (!one.control.hasAttribute("aria-label")) found.push("a key is read as a part of the name: " + one.textContent);
  return found;
})()`;

let browser: Browser;
let fixture: Fixture;
let paired: ReturnType<typeof onePage>;
beforeAll(async () => {
  browser = await launch();
  const world = fullWorld();
  world.asks = [mailAsk(Date.now() + 600_000), visitAsk(Date.now() + 600_000), pageAsk(Date.now())];
  fixture = await new Fixture(world).start();
  paired = onePage(browser, fixture.address, TOKEN);
});
afterAll(async () => {
  await browser.close();
  await fixture.stop();
});

const PATHS = [
  "/",
  "/alerts",
  "/alerts#open",
  "/traffic",
  "/traffic#open",
  "/apps",
  "/signatures",
  "/settings",
  "/drill",
  "/decisions",
  "/decisions?state=all",
  "/pins",
  "/pins?state=all#pin_pin-search",
  "/ask",
  "/ask?window",
  "/ask#ask_askvisit",
  "/ask#ask_askpage",
  "/report#open",
  "/welcome",
  "/welcome?step=choose",
  "/welcome?step=restart",
  "/welcome?step=attack",
  "/pair",
];
test.each(PATHS.flatMap((path) => [[path, "light"] as const, [path, "dark"] as const]))(
  "%s in %s",
  async (path, scheme) => {
    const where = path === "/pair" ? "/" : path.replace("#open", `#ex_${fixture.world.rows[4]?.id}`);
    const { page, close } = await (path === "/pair"
      ? open(browser, fixture.address, where, { scheme })
      : paired(where, { scheme }));
    await page.locator("h1").first().waitFor();
    await page.waitForFunction(() => document.querySelector(".skeleton") === null);
    if (path.endsWith("#open")) await page.locator(".det h2, .paper h2").first().waitFor();
    if (path.startsWith("/ask")) await page.locator("#ask-title").waitFor();
    await page.evaluate(AXE);
    if (path === "/ask#ask_askvisit") {
      await press(page, "Allow…", async () => (await page.getByLabel("What has to match").count()) > 0);
    }
    const violations = await page.evaluate<string[]>(RUN);
    const told = scheme === "light" ? await page.evaluate(UNCLEAR) : [];
    await close();
    expect(violations).toEqual([]);
    expect(told, "what a screen reader says of it leaves open which one is meant").toEqual([]);
  },
);
