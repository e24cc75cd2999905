// 100,000 Exchanges in a real engine: only what is on screen is in the page, paging and filters are the engine's, and
// rows that come in meanwhile move nothing. No time is judged here; the figures are printed.
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, open, until } from "./browser";
import { fillSpool, NEEDLE } from "./fixture/spool";
import { type Real, startOwn } from "./real";

const ROWS = 100_000;
let browser: Browser;
let real: Real;
let token = "";

beforeAll(async () => {
  [browser, real] = await Promise.all([launch(), startOwn({ prepare: (state) => fillSpool(state, ROWS) })]);
  const { page, context } = await open(browser, real.address, `/#pair=${real.code}`);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  token = (await page.evaluate(() => localStorage.getItem("portcullis.token"))) ?? "";
  await context.close();
  const headers = { Authorization: `Bearer ${token}` };
  await until(
    async () => {
      const answer = await fetch(`${real.address}/api/exchanges?limit=1`, { headers });
      return ((await answer.json()) as { total: number | null }).total === ROWS;
    },
    "all rows are imported",
    240_000,
  );
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await real?.own?.stop();
});

async function go(path: string): Promise<Page> {
  const { page } = await open(browser, real.address, path, { token });
  return page;
}
const drawn = (page: Page) => page.locator(".vrow").count();
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const done = await work();
  console.log(`${what}: ${Math.round(performance.now() - began)} ms`);
  return done;
}

test("Traffic holds a hundred thousand rows and draws a few dozen", async () => {
  const page = await go("/overview");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await timed("Traffic opened", async () => {
    await page.getByRole("link", { name: "Traffic" }).click();
    await page.locator(".vrow").nth(10).waitFor();
  });
  await page.getByText("100,000 Exchanges").waitFor();
  expect(await page.getByRole("grid", { name: "Exchanges" }).getAttribute("aria-rowcount")).toBe(
    String(ROWS),
  );
  const list = page.locator(".vlist");
  let loaded = 0;
  await timed("40 screens scrolled, with their pages", async () => {
    for (let i = 0; i < 40; i++) {
      await list.evaluate((box) => box.scrollBy({ top: box.clientHeight }));
      await page.waitForFunction(() => {
        const box = document.querySelector(".vlist");
        const rows = [...document.querySelectorAll(".vrow")].map((row) => row.getBoundingClientRect());
        const edge = box?.getBoundingClientRect();
        return edge !== undefined && rows.some((row) => row.bottom >= edge.bottom - 40);
      });
      expect(await drawn(page)).toBeLessThan(120);
    }
    loaded = await list.evaluate((box) => Math.round(box.scrollHeight / 34));
  });
  expect(loaded).toBeGreaterThan(800);
  await page.keyboard.press("Home");
  await until(async () => (await list.evaluate((box) => box.scrollTop)) === 0, "Home goes to the newest row");
});

test("a word is found among them, and its address finds it again", async () => {
  const page = await go("/traffic");
  await page.locator(".vrow").nth(10).waitFor();
  await timed("searched", async () => {
    await page.getByLabel("Filter").fill(NEEDLE);
    await page.getByText("1 Exchange", { exact: true }).waitFor();
  });
  await page.reload();
  await page.getByText("1 Exchange", { exact: true }).waitFor();
  await page.locator(".vrow").click();
  await page.getByText(NEEDLE).last().waitFor();
});

test("2,000 Alerts open with the newest groups, and the list stays small", async () => {
  const page = await go("/");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await timed("Alerts opened", async () => {
    await page.getByRole("link", { name: /^Alerts/ }).click();
    await page.locator(".vrow").nth(5).waitFor();
  });
  await page.getByRole("tab", { name: "Open 2000" }).waitFor();
  expect(await drawn(page)).toBeLessThan(80);
});

test("the whole filter is exported, not what is loaded", async () => {
  const page = await go("/traffic?verdict=block");
  await page.getByText("1,000 Exchanges").waitFor();
  await page.getByRole("button", { name: "Export what is listed" }).click();
  const [download] = await timed("exported", () =>
    Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: "SARIF, one result per Finding" }).click(),
    ]),
  );
  const file = JSON.parse(readFileSync(await download.path(), "utf8"));
  expect(file.runs[0].results).toHaveLength(1000);
  expect(file.runs[0].tool.driver.rules.map((rule: { id: string }) => rule.id)).toEqual(["path-traversal"]);
});
