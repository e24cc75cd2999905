// Every page against axe (WCAG 2.2 A and AA), light and dark. FIXTURE: full pages with every observed state.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, open } from "./browser";
import { Fixture, TOKEN } from "./fixture/server";
import { fullWorld } from "./fixture/worlds";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RUN = `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then((found) =>
  found.violations.flatMap((one) => one.nodes.map((node) => one.id + ": " + node.html.slice(0, 160) + " " + (node.any[0]?.message ?? ""))))`;

let browser: Browser;
let fixture: Fixture;
beforeAll(async () => {
  browser = await launch();
  fixture = await new Fixture(fullWorld()).start();
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
    if (path.endsWith("#open")) await page.locator(".det h2").waitFor();
    await page.evaluate(AXE);
    const violations = await page.evaluate<string[]>(RUN);
    await context.close();
    expect(violations).toEqual([]);
  },
);
