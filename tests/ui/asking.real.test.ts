// A person and a question, with the real engine, the real shim and an official SDK client that waits on the held call.
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { AskList, DecisionRow, Preview, Settings } from "../../ui/src/types";
import { launch, type Opened, open, until } from "./browser";
import { type Own, type Real, startOwn } from "./real";

const SERVER = join(import.meta.dirname, "../tray/server.mjs");
const CURSOR = JSON.stringify(
  { mcpServers: { notes: { command: process.execPath, args: [SERVER] } } },
  null,
  2,
);

let browser: Browser;
let real: Real;
let own: Own;
let token = "";
let client: Client;
const opened: Opened[] = [];

async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${real.address}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, Origin: real.address, "Content-Type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
  return JSON.parse(text) as T;
}

beforeAll(async () => {
  [browser, real] = await Promise.all([launch(), startOwn({ cursor: CURSOR })]);
  if (!real.own) throw new Error("no engine of our own");
  own = real.own;
  const { page, context } = await open(browser, real.address, `/#pair=${real.code}`);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  token = (await page.evaluate(() => localStorage.getItem("portcullis.token"))) ?? "";
  await context.close();
  const preview = await api<Preview>("POST", "/api/apps/cursor/preview", {
    action: "protect",
    servers: null,
  });
  await api("POST", "/api/apps/cursor/apply", { token: preview.token });
  const { command, args } = (
    JSON.parse(own.config()) as { mcpServers: Record<string, { command: string; args: string[] }> }
  ).mcpServers.notes ?? { command: "", args: [] };
  const env = { PATH: process.env.PATH ?? "", HOME: own.home, PORTCULLIS_HOME: join(own.home, "state") };
  client = new Client({ name: "cursor", version: "1" });
  await client.connect(new StdioClientTransport({ command, args, env }));
  await client.listTools();
}, 120_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.context.close()));
});
afterAll(async () => {
  await client?.close();
  await browser?.close();
  await real?.own?.stop();
});

/** The page must be open before the call: while nobody can see a question, it is denied at once. */
async function go(path: string): Promise<Page> {
  const one = await open(browser, real.address, path, { token });
  opened.push(one);
  await until(async () => (await api<AskList>("GET", "/api/asks")).attended, "somebody could see a question");
  return one.page;
}
const call = (path: string, signal?: AbortSignal) =>
  client.callTool({ name: "read_note", arguments: { path } }, undefined, signal ? { signal } : {});
/** Clicks until the view has changed: the first moments of a view take no input. */
async function press(page: Page, name: string, done: () => Promise<boolean>) {
  await until(async () => {
    if (await done()) return true;
    await page
      .getByRole("button", { name, exact: true })
      .click({ timeout: 1000 })
      .catch(() => {});
    return done();
  }, `${name} did something`);
}
const title = (page: Page) => page.getByRole("heading", { level: 1 }).last();

test("allowed after the sentence is ticked: the very call goes on", async () => {
  const page = await go("/ask");
  const answer = call("/home/someone/one/.env");
  await page.getByRole("alertdialog").waitFor();
  await page.locator("dl.args").getByText("/home/someone/one/.env").waitFor();
  await press(page, "Allow…", async () => (await page.getByRole("radiogroup").count()) > 0);
  await page.getByRole("radio", { name: "Only this call" }).check();
  const tick = page.getByRole("checkbox", { name: /^Yes, I have read it/ });
  if ((await tick.count()) > 0) await tick.check();
  await press(page, "Allow this call", async () => (await title(page).innerText()) === "Allowed");
  expect((await answer).content).toEqual([{ type: "text", text: "a note" }]);
});

test("denied: the app gets a result it can read, nothing reached the server", async () => {
  const page = await go("/ask");
  const answer = call("/home/someone/two/.env");
  await page.locator("dl.args").getByText("/home/someone/two/.env").waitFor();
  await press(page, "Deny", async () => (await title(page).innerText()) === "Denied");
  const result = await answer;
  expect(result.isError).toBe(true);
  expect(JSON.stringify(result.content)).not.toContain("a note");
});

test("taken back by the app: it cannot be answered any more", async () => {
  const page = await go("/ask");
  const stop = new AbortController();
  const answer = call("/home/someone/three/.env", stop.signal);
  await page.locator("dl.args").getByText("/home/someone/three/.env").waitFor();
  stop.abort();
  await expect(answer).rejects.toThrow();
  await page.getByRole("heading", { name: "The app took the call back. Nothing was sent." }).waitFor();
  expect(await page.getByRole("button", { name: "Allow…" }).count()).toBe(0);
});

test("nobody answers: denied, and a later answer counts for the retry", async () => {
  const settings = await api<Settings>("GET", "/api/settings");
  await api("PUT", "/api/settings", { ...settings, ask_seconds: 5 });
  const page = await go("/ask");
  const first = await call("/home/someone/four/.env");
  expect(first.isError).toBe(true);
  await page.getByRole("heading", { name: "Denied: nobody answered in time" }).waitFor();
  await press(page, "Allow it next time…", async () => (await page.getByRole("radiogroup").count()) > 0);
  await page.getByRole("radio", { name: "Only this call" }).check();
  const tick = page.getByRole("checkbox", { name: /^Yes, I have read it/ });
  if ((await tick.count()) > 0) await tick.check();
  const kept = async () => (await api<DecisionRow[]>("GET", "/api/decisions?state=active")).length > 0;
  await press(page, "Allow this call", kept);
  expect((await call("/home/someone/four/.env")).content).toEqual([{ type: "text", text: "a note" }]);
  await api("PUT", "/api/settings", settings);
});

test("allowed always: not asked again, listed in Decisions, revoked there", async () => {
  const page = await go("/ask");
  const answer = call("/home/someone/five/.env");
  await page.locator("dl.args").getByText("/home/someone/five/.env").waitFor();
  await press(page, "Allow…", async () => (await page.getByRole("radiogroup").count()) > 0);
  await page.getByRole("radio", { name: "Always, when all of this matches" }).check();
  const tick = page.getByRole("checkbox", { name: /^Yes, I have read it/ });
  if ((await tick.count()) > 0) await tick.check();
  await press(page, "Always allow this", async () => (await title(page).innerText()) === "Allowed");
  await answer;
  expect((await call("/home/someone/five/.env")).content).toEqual([{ type: "text", text: "a note" }]);
  await page.goto(`${real.address}/decisions`);
  await page.clock.install();
  const row = page.locator(".decision").filter({ hasText: "read_note" }).first();
  await row.getByRole("button", { name: "Revoke" }).click();
  await page.clock.runFor(11_000);
  await until(
    async () => (await api<DecisionRow[]>("GET", "/api/decisions?state=active")).length === 0,
    "nothing is in force any more",
  );
});
