// The dashboard against the real engine, with the real traffic of the drill. No fixture in here.
// With PORTCULLIS_DASHBOARD and PORTCULLIS_PAIR_CODE the same tests run against an engine that is already there.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { DrillReport } from "../../ui/src/types";
import { until } from "./browser";
import { CURSOR_CONFIG, realStage, startReal } from "./real";

const on = realStage(startReal);
const { go, api } = on;
async function runDrill(page: Page) {
  await page
    .getByRole("button", { name: /Run (the drill|it again)/ })
    .first()
    .click();
  await page.getByText(/\d+ of \d+ caught/).waitFor({ timeout: 60_000 });
}

test("a used code is refused with what to do next", async () => {
  const page = await go(`/#pair=${on.real.code}`, { token: null });
  await page.getByRole("alert").getByText("portcullis pair").waitFor();
});

test("without a token nothing is answered, and the policy for the page is strict", async () => {
  const refused = await fetch(`${on.real.address}/api/status`);
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ code: expect.any(String), message: expect.any(String) });
  const page = await fetch(`${on.real.address}/traffic`);
  expect(page.headers.get("content-type")).toContain("text/html");
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe");
});

describe("the drill's traffic", () => {
  test("the drill is run from the dashboard, the table says what the engine says, a cell leads to its Exchange", async () => {
    const page = await go("/drill");
    await runDrill(page);
    const [, caught, all] = /(\d+) of (\d+) caught/.exec(await page.locator("h2").first().innerText()) ?? [];
    const { rows } = await api<DrillReport>("GET", "/api/drill");
    expect(rows.length).toBeGreaterThan(5);
    expect(Number(all)).toBe(rows.length);
    expect(Number(caught)).toBe(rows.filter((row) => row.caught).length);
    expect(Number(caught)).toBeGreaterThan(0);
    await page.locator("a.drillcell").first().click();
    await page.getByRole("tab", { selected: true }).waitFor();
    await expect.poll(() => page.url()).toContain("/traffic#ex_");
  });
  test("Alerts: the matched span is marked, why and what to do are said, a review moves it", async () => {
    // The drill has put its own away.
    const page = await go("/alerts?state=all");
    const rows = page.getByRole("row");
    await rows.first().waitFor();
    await rows.filter({ hasText: "Block" }).first().click();
    await page.locator(".det mark").first().waitFor();
    await page.getByRole("heading", { name: "Why you see this" }).first().waitFor();
    await page.getByRole("heading", { name: "What to do" }).first().waitFor();
    await page.getByText("Reviewed as test").waitFor();
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await page.getByText("Reviewed as test").waitFor();
    await page.getByRole("button", { name: "Take back" }).waitFor();
  });
  test("every Alert of the drill has its match marked in the text it was found in", async () => {
    const page = await go("/alerts?state=all");
    await page.getByRole("row").first().waitFor();
    const count = await page.getByRole("row").count();
    const unmarked: string[] = [];
    for (let i = 0; i < count; i++) {
      const row = page.getByRole("row").nth(i);
      await row.click();
      await page.locator(".det .message, .det .body p").first().waitFor();
      if ((await page.locator(".det .message mark").count()) === 0) unmarked.push(await row.innerText());
    }
    expect(unmarked).toEqual([]);
  });
  test("Traffic: rows come in live, and wait while one is open", async () => {
    const page = await go("/traffic");
    await page.getByRole("row").nth(3).waitFor();
    const newest = () => page.locator(".vrow").first().getAttribute("id");
    const total = async () => Number((await page.locator("h1").innerText()).replace(/\D/g, ""));
    const before = await total();
    expect(await newest()).not.toBeNull();
    const other = await go("/drill");
    await runDrill(other);
    await until(async () => (await total()) > before, "rows joined without a reload");
    await page.getByRole("row").nth(2).click();
    await expect.poll(() => page.url()).toContain("#ex_");
    const shown = page.url();
    await runDrill(other);
    await page.getByText(/\d+ newer, held back while you read/).waitFor();
    await expect.poll(() => page.url()).toBe(shown);
    const held = page.getByText(/held back while you read/);
    // Rows that still come in after the key are held again, so the key may be needed once more.
    await until(async () => {
      await page.keyboard.press(".");
      return (await held.count()) === 0;
    }, "nothing is held back any more");
    await expect.poll(() => page.url()).toBe(shown);
  });
  test("Traffic: the filter is the server's", async () => {
    const page = await go("/traffic?verdict=block");
    await page.getByRole("row").nth(1).waitFor();
    const verdicts = await page.locator(".vrow .verdict").allInnerTexts();
    expect(new Set(verdicts)).toEqual(new Set(["Block"]));
    await page.getByLabel("Filter").fill("app:no-such-app");
    await page.getByText("No Exchange matches.").waitFor();
  });
  test("Overview shows it: the day's Messages and the newest Alerts", async () => {
    const page = await go("/");
    await page.getByRole("img", { name: /Messages in 24 hours: [1-9]/ }).waitFor();
    await page.getByRole("region", { name: "Newest Alerts" }).getByText("Block").first().waitFor();
  });
});

test("a Signature is switched off and on again", async () => {
  const page = await go("/signatures");
  const toggle = page.getByRole("switch").first();
  await toggle.waitFor();
  expect(await toggle.getAttribute("aria-checked")).toBe("true");
  await toggle.click();
  await page.getByRole("option", { selected: true }).getByText("off").waitFor();
  await toggle.click();
  await page.getByRole("option", { selected: true }).getByText("off").waitFor({ state: "detached" });
});

test("pause is shown on every page and ends with Resume", async () => {
  const page = await go("/");
  const { own } = on.real;
  // Without a protected app there is nothing to pause: protect one first.
  if (own) {
    await page.goto(`${on.real.address}/apps`);
    await page.getByRole("switch", { name: "Protect Cursor", exact: true }).click();
    await page.locator(".diff .a").first().waitFor();
    expect(own.config()).toBe(CURSOR_CONFIG);
    await page.getByRole("button", { name: "Write this change" }).click();
    await page.getByText("Written: 1 file").waitFor();
    expect(own.config()).not.toBe(CURSOR_CONFIG);
    expect(own.config()).toContain("// my servers");
    await page.goto(on.real.address);
  }
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("menuitem", { name: "Until I resume" }).click();
  await page.getByText("Calls are recorded, nothing is blocked.").waitFor();
  await page.getByRole("button", { name: "Resume" }).first().click();
  await page.getByText("Calls are recorded, nothing is blocked.").waitFor({ state: "detached" });
  if (own) {
    await page.goto(`${on.real.address}/apps`);
    await page.getByRole("switch", { name: "Protect Cursor", exact: true }).click();
    await page.getByRole("button", { name: "Write this change" }).click();
    await page.getByText("Written: 1 file").waitFor();
    expect(own.config()).toBe(CURSOR_CONFIG);
  }
});

test("settings are kept by the engine", async () => {
  const page = await go("/settings");
  const toggle = page.getByRole("switch", { name: "Notify about blocked calls" });
  await toggle.waitFor();
  const before = await toggle.getAttribute("aria-checked");
  // The switch turns at once, and what is asked when a page is left may never arrive.
  const stored = page.waitForResponse(
    (one) => one.request().method() !== "GET" && one.url().includes("/api/settings"),
  );
  await toggle.click();
  await until(async () => (await toggle.getAttribute("aria-checked")) !== before, "the switch turned");
  expect((await stored).ok()).toBe(true);
  await page.reload();
  await toggle.waitFor();
  await expect.poll(() => toggle.getAttribute("aria-checked")).not.toBe(before);
  await toggle.click();
  await until(async () => (await toggle.getAttribute("aria-checked")) === before, "and back");
});
