// Every page against axe (WCAG 2.2 A and AA), light and dark. FIXTURE: full pages with every observed state.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, open } from "./browser";
import { mailAsk, pageAsk, visitAsk } from "./fixture/asks";
import { Fixture, TOKEN } from "./fixture/server";
import { fullWorld } from "./fixture/worlds";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RUN = `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then((found) =>
  found.violations.flatMap((one) => one.nodes.map((node) => one.id + ": " + node.html.slice(0, 160) + " " + (node.any[0]?.message ?? ""))))`;

let browser: Browser;
let fixture: Fixture;
beforeAll(async () => {
  browser = await launch();
  const world = fullWorld();
  world.asks = [mailAsk(Date.now() + 600_000), visitAsk(Date.now() + 600_000), pageAsk(Date.now())];
  fixture = await new Fixture(world).start();
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
    const { page, context } = await open(browser, fixture.address, where, {
      scheme,
      token: path === "/pair" ? null : TOKEN,
    });
    await page.locator("h1").first().waitFor();
    await page.waitForFunction(() => document.querySelector(".skeleton") === null);
    if (path.endsWith("#open")) await page.locator(".det h2, .paper h2").first().waitFor();
    if (path.startsWith("/ask")) await page.locator("#ask-title").waitFor();
    await page.evaluate(AXE);
    if (path === "/ask#ask_askvisit") {
      const allow = page.getByRole("button", { name: "Allow…" });
      // The first moments of a view take no input.
      while ((await page.getByLabel("What has to match").count()) === 0) await allow.click({ timeout: 2000 });
    }
    const violations = await page.evaluate<string[]>(RUN);
    await context.close();
    expect(violations).toEqual([]);
  },
);
