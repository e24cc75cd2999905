// A person and a question, with the real engine, the real shim and an official SDK client that waits on the held call.
import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DecisionRow, Settings } from "../../ui/src/types";
import { press, until } from "./browser";
import { connectAsCursor, protectCursor, realStage, startOwn } from "./real";

const SERVER = join(import.meta.dirname, "../tray/server.mjs");
const CURSOR = JSON.stringify(
  { mcpServers: { notes: { command: process.execPath, args: [SERVER] } } },
  null,
  2,
);

let client: Client;
const on = realStage(() => startOwn({ cursor: CURSOR }));
const { api, watching: go } = on;
beforeAll(async () => {
  await protectCursor(on);
  client = await connectAsCursor(on.real, "notes");
  await client.listTools();
}, 120_000);
afterAll(() => client?.close());

const call = (path: string, signal?: AbortSignal) =>
  client.callTool({ name: "read_note", arguments: { path } }, undefined, signal ? { signal } : {});
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
  await page.goto(`${on.real.address}/decisions`);
  await page.clock.install();
  const row = page.locator(".decision").filter({ hasText: "read_note" }).first();
  await row.getByRole("button", { name: "Revoke" }).click();
  await page.clock.runFor(11_000);
  await until(
    async () => (await api<DecisionRow[]>("GET", "/api/decisions?state=active")).length === 0,
    "nothing is in force any more",
  );
});
