// The states of every page (brief.md §3) with the real engine and real traffic: empty, five rows, long and hostile names
// and text, slow, broken, paused, gone; light and dark, wide, 900 px and a phone. Each leaves a picture to look at
// (tests/out/ui/real-*.png). STATES.md says which test stands for which state.
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExchangePage } from "../../ui/src/types";
import { until } from "./browser";
import { picture, settled, tooWide } from "./look";
import { connectAsCursor, protectCursor, realStage, startOwn } from "./real";

const ODD = join(import.meta.dirname, "fixture/odd-server.mjs");
const MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const LONG_SERVER = `server_${"with_a_long_name_".repeat(6)}end`;
const LONG_TOOL = `get_${"very_".repeat(20)}long_tool_name_end`;
const BIDI = "open\u202egpj.trats\u202c\u200b";
const entry = (name: string) => ({ command: process.execPath, args: [ODD, name] });
const SERVERS = ["notes", LONG_SERVER, MARKUP, BIDI];
const CURSOR = JSON.stringify(
  {
    mcpServers: {
      ...Object.fromEntries(SERVERS.map((name) => [name, entry(name)])),
      broken: { command: process.execPath, args: ["no-such-file.js"] },
    },
  },
  null,
  2,
);
const PAGES = [
  "/",
  "/alerts",
  "/traffic",
  "/apps",
  "/signatures",
  "/decisions",
  "/pins",
  "/settings",
  "/ask",
  "/drill",
];
const LOOKS = [
  ["light", { scheme: "light" }],
  ["dark", { scheme: "dark" }],
  ["900", { width: 900, height: 700 }],
  ["phone", { width: 360, height: 700 }],
] as const;
const nameOf = (path: string) =>
  path === "/"
    ? "overview"
    : path
        .slice(1)
        .replaceAll(/[#?=]+/g, "-")
        .slice(0, 24);

const clients: Client[] = [];
const on = realStage(() => startOwn({ cursor: CURSOR }));
const { go, api } = on;
afterAll(() => Promise.all(clients.map((client) => client.close())));

async function look(path: string, file: string, how: Parameters<typeof on.look>[1] = {}) {
  const page = await on.look(path, how);
  await settled(page);
  await picture(page, `real-${file}`);
  expect(await tooWide(page), `${path}: wider than its box`).toEqual([]);
  expect(await page.evaluate(() => Reflect.get(window, "hacked"))).toBeUndefined();
  return page;
}
describe.each(LOOKS)("nothing yet, %s", (how, size) => {
  test.each(PAGES)("%s", async (path) => void (await look(path, `empty-${nameOf(path)}-${how}`, size)));
});

test("empty pages say what there is to do", async () => {
  const page = await go("/");
  await page.getByRole("heading", { name: "Nothing has come through yet" }).waitFor();
  for (const [path, words] of [
    ["/alerts", "No Alerts. 0 Messages checked today."],
    ["/traffic", "Nothing has come through yet."],
    ["/decisions", "No Decision is in force."],
    ["/ask", "No question waiting"],
  ] as const) {
    await page.goto(`${on.real.address}${path}`);
    await page.getByText(words).first().waitFor();
  }
});

describe("with traffic", () => {
  beforeAll(async () => {
    await protectCursor(on);
    for (const name of SERVERS) clients.push(await connectAsCursor(on.real, name));
    await connectAsCursor(on.real, "broken").catch(() => {});
    for (const client of clients) await client.listTools();
    const [notes, long, markup, bidi] = clients;
    const call = (client: Client | undefined, name: string, args: Record<string, string>) =>
      client?.callTool({ name, arguments: args }).catch(() => null);
    await call(notes, "read_page", { page: "plain" });
    await call(notes, "read_page", { page: "lines" });
    await call(notes, "read_page", { page: "wide" });
    await call(notes, "read_page", { path: "/home/someone/.ssh/id_rsa" });
    await call(long, LONG_TOOL, { page: "hidden" });
    await call(markup, MARKUP, { page: "markup" });
    await call(bidi, "read_page", { page: "hidden", path: "/home/someone/.env" });
    await call(notes, "read_page", { page: "secret" });
    await until(async () => (await rows()).length >= 8, "all calls are in the log");
  }, 60_000);

  const rows = async () =>
    (await api<ExchangePage>("GET", "/api/exchanges?limit=100")).rows.filter(
      (row) => row.method === "tools/call",
    );
  const open = async (target: string) => (await rows()).find((row) => row.target === target)?.id ?? "";

  describe.each(LOOKS)("a few rows, %s", (how, size) => {
    test.each([...PAGES, "/pins?state=all"])(
      "%s",
      async (path) => void (await look(path, `few-${nameOf(path)}-${how}`, size)),
    );
    test("an Alert with hidden text in an answer of a server with a long name", async () => {
      await look(`/alerts?state=all#ex_${await open(LONG_TOOL)}`, `alert-hidden-${how}`, size);
    });
    test("an Exchange of a server whose names are markup", async () => {
      await look(`/traffic#ex_${await open(MARKUP)}`, `traffic-markup-${how}`, size);
    });
    test("a Signature, a definition and a report", async () => {
      await look("/signatures#sig_private-key-file", `signature-${how}`, size);
      await look(`/report#ex_${await open(LONG_TOOL)}`, `report-${how}`, size);
      const page = await go("/apps", size);
      await page.getByRole("switch", { name: "Protect Cursor", exact: true }).click();
      await page.locator(".diff .a, .diff .d").first().waitFor();
      await settled(page);
      await picture(page, `real-apps-preview-${how}`);
      expect(await tooWide(page)).toEqual([]);
    });
  });

  test("hostile names are text on every page", async () => {
    for (const path of PAGES) {
      const page = await on.look(path);
      await settled(page);
      expect(await page.locator("img[src=x]").count(), path).toBe(0);
      expect(await page.evaluate(() => Reflect.get(window, "hacked")), path).toBeUndefined();
    }
  });

  test("slow answers: nothing at first, then rows of the final height, then the page", async () => {
    const page = await go("/settings");
    await settled(page);
    let answer = Promise.resolve();
    await page.route("**/api/**", async (route) => {
      await answer;
      await route.continue().catch(() => {});
    });
    for (const path of ["/traffic", "/alerts", "/apps", "/signatures", "/decisions", "/"]) {
      let arrives = () => {};
      answer = new Promise((resolve) => {
        arrives = resolve;
      });
      await page.goto(`${on.real.address}${path}`);
      await page.locator(".skeleton").first().waitFor();
      await picture(page, `real-loading-${nameOf(path)}`);
      arrives();
      await page.locator(".skeleton").first().waitFor({ state: "detached" });
    }
  });

  test("paused: said on top of every page", async () => {
    await api("POST", "/api/pause", { minutes: 15 });
    for (const path of PAGES) {
      const page = await on.look(path);
      await page.getByText("Calls are recorded, nothing is blocked.").waitFor();
    }
    await look("/", "paused-overview");
    await look("/traffic", "paused-traffic-phone", { width: 360, height: 700 });
    await api("POST", "/api/resume");
  });

  test("the log cannot be read: said in its place, with a code and whether checking goes on", async () => {
    // Everything behind the headers, as a failing disk leaves it.
    for (const [name, head] of [
      ["audit.db", 4096],
      ["audit.db-wal", 32],
    ] as const) {
      const path = join(on.real.own?.home ?? "", "state", name);
      const file = openSync(path, "r+");
      writeSync(file, Buffer.alloc(Math.max(0, statSync(path).size - head), 0xa5), 0, undefined, head);
      closeSync(file);
    }
    const page = await go("/traffic");
    await page.getByRole("alert").first().waitFor();
    await picture(page, "real-error-traffic");
    for (const path of ["/", "/alerts", "/apps", "/decisions"]) await look(path, `error-${nameOf(path)}`);
    await look("/traffic", "error-traffic-phone", { width: 360, height: 700 });
    // What is not known is not said to be nothing.
    const overview = await go("/");
    await overview.getByRole("heading", { name: "What went through cannot be read now" }).waitFor();
    await overview.getByText("Not known while the log cannot be read").first().waitFor();
    expect(await overview.getByText("Nothing has come through yet").count()).toBe(0);
    expect(await overview.getByText("Not protected yet").count()).toBe(0);
    await overview.getByRole("region", { name: "Last 24 hours" }).getByRole("alert").waitFor();
    expect(await overview.locator(".legend .verdict").count(), "counts of a chart without data").toBe(0);
    const apps = await go("/apps");
    await apps.getByText("Not known while the log cannot be read").first().waitFor();
    expect(await apps.getByText(/^\d+ of \d+ seen$/).count()).toBe(0);
    await overview
      .getByText(/\(audit_\w+\)\. Checking goes on\./)
      .first()
      .waitFor();
  });

  test("the engine goes: what was read stays, dimmed and dated, and nothing can be written", async () => {
    const pages = await Promise.all(["/", "/apps", "/settings", "/signatures"].map((path) => go(path)));
    for (const page of pages) await settled(page);
    await on.real.own?.stop();
    for (const [n, page] of pages.entries()) {
      await page.getByText("Portcullis' engine does not answer.").first().waitFor();
      await page.getByText(/What you see is as of/).waitFor();
      const promises = page.locator(".bar, .failure").getByText("Checking goes on.");
      expect(await promises.count(), "said of an engine that is gone").toBe(0);
      await picture(page, `real-gone-${n}`);
    }
    await pages[0]?.setViewportSize({ width: 360, height: 700 });
    await picture(pages[0] as Page, "real-gone-phone");
  });
});
