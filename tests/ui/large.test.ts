// 100,000 Exchanges in a real engine: only what is on screen is in the page, paging and filters are the engine's, and
// rows that come in meanwhile, from a real client, move nothing. No time is judged here; the figures are printed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Preview } from "../../ui/src/types";
import { launch, open, until } from "./browser";
import { fillSpool, NEEDLE } from "./fixture/spool";
import { picture, settled, tooWide } from "./look";
import { type Real, startOwn } from "./real";

const ROWS = 100_000;
const CURSOR = JSON.stringify({
  mcpServers: {
    notes: {
      command: process.execPath,
      args: [join(import.meta.dirname, "fixture/odd-server.mjs"), "notes"],
    },
  },
});
let browser: Browser;
let real: Real;
let token = "";

beforeAll(async () => {
  [browser, real] = await Promise.all([
    launch(),
    startOwn({ cursor: CURSOR, prepare: (state) => fillSpool(state, ROWS) }),
  ]);
  const { page, close } = await open(browser, real.address, `/#pair=${real.code}`);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  token = (await page.evaluate(() => localStorage.getItem("portcullis.token"))) ?? "";
  await close();
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
  await page.getByRole("tab", { name: "Open 2,000" }).waitFor();
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

test.each([
  ["light", { scheme: "light" }],
  ["dark", { scheme: "dark" }],
  ["900", { width: 900, height: 700 }],
  ["phone", { width: 360, height: 700 }],
] as const)("100,000 rows, %s: nothing is wider than its box", async (how, size) => {
  for (const path of ["/", "/traffic", "/alerts", "/signatures"]) {
    const { page, close } = await open(browser, real.address, path, { token, ...size });
    await settled(page);
    await picture(page, `real-many-${path === "/" ? "overview" : path.slice(1)}-${how}`);
    expect(await tooWide(page), path).toEqual([]);
    await close();
  }
});

test("End goes to the oldest row of all, page after page, and a turn of the wheel stops it", async () => {
  const page = await go("/traffic");
  await page.locator(".vrow").nth(10).waitFor();
  await page.locator(".vlist").focus();
  await timed("End reached the oldest of 100,000 rows", async () => {
    await page.keyboard.press("End");
    await page.locator(`.vrow[aria-rowindex="${ROWS}"]`).waitFor({ timeout: 60_000 });
  });
  expect(await drawn(page)).toBeLessThan(120);
  await page.keyboard.press("Home");
  await page.locator('.vrow[aria-rowindex="1"]').waitFor();

  const other = await go("/traffic?verdict=allow");
  await other.locator(".vrow").nth(10).waitFor();
  await other.locator(".vlist").focus();
  await other.keyboard.press("End");
  await other.mouse.move(600, 500);
  await other.mouse.wheel(0, -400);
  const height = () => other.locator(".vrows").evaluate((box) => box.clientHeight);
  let before = -1;
  await until(async () => {
    const [was, now] = [before, await height()];
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return was === now;
  }, "no further page is asked for");
  expect(before).toBeLessThan(50_000 * 34);
});

describe("while a real app calls", () => {
  let client: Client;
  const call = (n: number) => client.callTool({ name: "read_page", arguments: { page: `live-${n}` } });
  const burst = async (count: number) => {
    for (let n = 0; n < count; n++) await call(n);
  };
  beforeAll(async () => {
    const send = async <T>(path: string, body: unknown) => {
      const answer = await fetch(`${real.address}${path}`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${token}`,
          Origin: real.address,
          "Content-Type": "application/json",
        },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()) as T;
    };
    const preview = await send<Preview>("/api/apps/cursor/preview", { action: "protect", servers: null });
    await send("/api/apps/cursor/apply", { token: preview.token });
    const { command, args } = JSON.parse(real.own?.config() ?? "{}").mcpServers.notes;
    const home = real.own?.home ?? "";
    const env = { PATH: process.env.PATH ?? "", HOME: home, PORTCULLIS_HOME: join(home, "state") };
    client = new Client({ name: "cursor", version: "1" });
    await client.connect(new StdioClientTransport({ command, args, env, stderr: "ignore" }));
  }, 60_000);
  afterAll(() => client?.close());

  /** Traffic with all that its rows say: the names of apps come with the list of apps. */
  const traffic = async () => {
    const page = await go("/traffic");
    await page.locator(".vrow").nth(10).waitFor();
    await page
      .locator(".vrow", { hasText: /Cursor/ })
      .first()
      .waitFor();
    return page;
  };

  /** The row under the middle of the list, and where it stands. */
  const middle = (page: Page) =>
    page.locator(".vlist").evaluate((list) => {
      const edge = list.getBoundingClientRect();
      const y = edge.top + edge.height / 2;
      const row = document.elementFromPoint(edge.left + 40, y)?.closest(".vrow");
      return { said: row?.textContent, top: Math.round(row?.getBoundingClientRect().top ?? -1) };
    });

  test("a list that was scrolled stands still, and says how many wait", async () => {
    const page = await traffic();
    await page.locator(".vlist").evaluate((list) => list.scrollTo({ top: 3000 }));
    await until(async () => (await middle(page)).said !== undefined, "rows are drawn there");
    const before = await middle(page);
    await burst(25);
    // Rows of the connection may still come in with them.
    await page.getByText(/^(2[5-9]|3\d) newer, held back while you read/).waitFor();
    expect(await middle(page)).toEqual(before);
    await page.keyboard.press(".");
    await page.locator(".vrow", { hasText: "read_page" }).first().waitFor();
    expect(await page.locator(".vlist").evaluate((list) => list.scrollTop)).toBe(0);
  });

  test("the mark of the keyboard stays on its row when rows join above it", async () => {
    const page = await traffic();
    await page.locator(".vlist").focus();
    for (let n = 0; n < 3; n++) await page.keyboard.press("j");
    const marked = () => page.locator(".vrow.active").innerText();
    const at = () => page.locator(".vrow.active").getAttribute("aria-rowindex");
    const [before, place] = [await marked(), Number(await at())];
    await burst(2);
    await until(async () => Number(await at()) === place + 2, "two rows joined above");
    expect(await marked()).toBe(before);
    await page.keyboard.press("Enter");
    await page.locator(".det h2").waitFor();
    expect(await page.locator(".vrow[aria-selected=true]").innerText()).toContain(before.split("\n")[0]);
  });

  test("an open Exchange, its scroll and its place in the list do not move", async () => {
    const page = await traffic();
    await page.locator(".vrow").nth(6).click();
    await page.locator(".det h2").waitFor();
    const before = {
      url: page.url(),
      title: await page.locator(".det h2").innerText(),
      ...(await middle(page)),
    };
    await burst(10);
    await page.getByText(/^1\d newer, held back while you read/).waitFor();
    expect({
      url: page.url(),
      title: await page.locator(".det h2").innerText(),
      ...(await middle(page)),
    }).toEqual(before);
  });

  test("scrolling goes on while rows come in; the longest stop is printed", async () => {
    const page = await traffic();
    await page.evaluate(() => {
      const kept = { longest: 0, frames: [] as number[] };
      Reflect.set(window, "kept", kept);
      new PerformanceObserver((list) => {
        for (const task of list.getEntries()) kept.longest = Math.max(kept.longest, task.duration);
      }).observe({ type: "longtask" });
      let last = performance.now();
      const frame = (now: number) => {
        kept.frames.push(now - last);
        last = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    await page.mouse.move(600, 500);
    const calls = burst(150);
    for (let n = 0; n < 120; n++) {
      await page.mouse.wheel(0, 700);
      await page.waitForTimeout(16);
    }
    await calls;
    await page.getByText(/newer, held back while you read/).waitFor();
    const { longest, frames } = await page.evaluate(
      () => Reflect.get(window, "kept") as { longest: number; frames: number[] },
    );
    const sorted = frames.sort((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
    console.log(
      `scrolled with 150 live calls: longest task ${Math.round(longest)} ms, frames ${at(0.5)} ms at the median, ${at(0.99)} ms at 99 %`,
    );
    expect(await drawn(page)).toBeLessThan(120);
    await timed("filtered by Verdict", async () => {
      await page.getByLabel("Verdict").selectOption("block");
      await page.getByText("1,000 Exchanges").waitFor();
    });
  });
});
