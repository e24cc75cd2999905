// What a person sees in the dashboard of real traffic: a secret that was redacted on its way, shown again on request and
// only then; and where the value of a doubtful call came from, as far as it was seen. Real daemon, shim and servers,
// official SDK clients, a real browser.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { press } from "../ui/browser.ts";
import { realStage } from "../ui/real.ts";
import { call, connect } from "./support/client.ts";
import { until, World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.close());
const on = realStage(async () => {
  await world.serve();
  await world.done("protect", "cursor", "--yes");
  const code = /Pairing code: (\S+)/.exec(world.daemon?.output() ?? "")?.[1] ?? "";
  return { address: new URL(world.dashboard).origin, code, own: null };
});
const { go, watching } = on;
const over = (page: Page, title: string) => async () =>
  (await page.getByRole("heading", { name: title, exact: true }).count()) > 0;
const heading = (page: Page) => page.locator("#ask-title");

describe("what was redacted", () => {
  const SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
  let client: Client;
  beforeAll(async () => {
    client = await connect(world.protectedEntry("ledger"), world);
  });

  const noted = (word: string) =>
    world.ledger().find((line) => line.name === "note" && String(line.args.text).includes(word))?.args.text;
  /** Whether any file that Portcullis wrote holds the text readably. */
  const written = (text: string) =>
    (readdirSync(world.state, { recursive: true }) as string[])
      .map((name) => join(world.state, name))
      .filter((name) => statSync(name).isFile() && readFileSync(name, "latin1").includes(text));

  async function redact(word: string) {
    const page = await watching();
    const answer = call(client, "note", { text: `${word}: ${SECRET} belongs to the build` });
    await heading(page).waitFor();
    expect(await heading(page).innerText()).toBe("Cursor wants to send an access token or key to ledger");
    await page.getByRole("button", { name: "Show redacted" }).click();
    await page.getByText("[redacted: ").waitFor();
    await press(page, "Redact and send", over(page, "Redacted and sent"));
    expect((await answer).isError).toBe(false);
    return page;
  }
  async function exchange(word: string): Promise<Page> {
    const page = await go(`/traffic?q=${word}`);
    await page.locator(".vrow").first().click();
    await page.locator(".det h2").waitFor();
    await page.getByRole("tab", { name: "Request" }).click();
    await page.getByText(word).last().waitFor();
    return page;
  }
  const show = (page: Page) => page.getByRole("button", { name: "Show what was redacted" });

  test("is not kept unless the person chose so", async () => {
    await redact("first");
    expect(noted("first")).toMatch(/^first: \[redacted: [^\]]+\] belongs to the build$/);
    const page = await exchange("first");
    expect(await show(page).count()).toBe(0);
    expect(written(SECRET)).toEqual([]);
  });

  test("is shown on request once it is kept, hidden again, and nowhere readable on disk", async () => {
    const settings = await go("/settings");
    const toggle = settings.getByRole("switch", { name: "Keep what was redacted" });
    await toggle.click();
    await until("it is on", async () => (await toggle.getAttribute("aria-checked")) === "true" || undefined);
    await redact("second");
    expect(noted("second")).not.toContain(SECRET);

    const page = await exchange("second");
    await show(page).waitFor();
    expect(await page.getByText(SECRET).count(), "the log holds it masked").toBe(0);
    await show(page).click();
    const original = page.getByRole("region", { name: "Show what was redacted" });
    await original.getByText(SECRET).waitFor();
    await original.getByRole("heading", { name: "What the app sent" }).waitFor();
    await original.getByRole("button", { name: "Hide it again" }).click();
    await show(page).waitFor();
    expect(await page.getByText(SECRET).count()).toBe(0);
    await page.reload();
    await show(page).waitFor();
    expect(await page.getByText(SECRET).count(), "a reload does not show it by itself").toBe(0);
    expect(written(SECRET)).toEqual([]);
  });

  test("each look at it is told of: on the other pages at once, and in the history", async () => {
    const bystander = await go("/");
    await bystander.getByRole("heading", { level: 1 }).waitFor();
    const page = await exchange("second");
    await show(page).click();
    await page.getByText(SECRET).first().waitFor();
    await bystander.getByRole("alert").filter({ hasText: "What was redacted in" }).waitFor();
  });

  test("a program with the token alone does not get it", async () => {
    const page = await exchange("second");
    const id = /#ex_(\w+)/.exec(page.url())?.[1];
    const headers = { Authorization: `Bearer ${on.token}` };
    const answer = await fetch(`${on.real.address}/api/exchanges/${id}/original`, {
      method: "POST",
      headers,
    });
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain(SECRET);
  });

  test("is gone when the person switches it off", async () => {
    const settings = await go("/settings");
    const toggle = settings.getByRole("switch", { name: "Keep what was redacted" });
    await toggle.click();
    await until(
      "it is off",
      async () => (await toggle.getAttribute("aria-checked")) === "false" || undefined,
    );
    const page = await exchange("second");
    expect(await show(page).count()).toBe(0);
  });
});

describe("where a value came from", () => {
  const PATH = "/home/someone/handbook/deploy/.env";
  let reader: Client;
  let source: Client;
  beforeAll(async () => {
    reader = await connect(world.protectedEntry("ledger"), world);
    source = await connect(world.protectedEntry("ledger-http"), world);
  });

  test("is said not to have been seen when it was not", async () => {
    const page = await watching();
    const answer = call(reader, "read_file", { path: "/home/someone/never-mentioned/.env" });
    await heading(page).waitFor();
    await page.getByText("Portcullis did not see where this value came from.").waitFor();
    await press(page, "Deny", over(page, "Denied"));
    expect((await answer).isError).toBe(true);
  });

  test("names server, tool and time, and puts that server first when one is to be set aside", async () => {
    expect((await call(source, "note", { text: `the settings are in ${PATH} today` })).text).toContain(PATH);
    const page = await watching();
    const answer = call(reader, "read_file", { path: PATH });
    await heading(page).waitFor();
    expect(await heading(page).innerText()).toBe(
      `Cursor wants to open a file that keeps tokens or passwords: ${PATH}`,
    );
    const origins = page.locator(".originlist li");
    await origins.first().waitFor();
    expect(await origins.first().innerText()).toMatch(
      /^path holds a part of an answer of ledger-http \/ note, (just now|\d+ s ago)\.$/,
    );
    await press(page, "Quarantine…", async () => (await page.getByRole("radiogroup").count()) > 0);
    const [first, second] = await page.getByRole("radiogroup").locator("label").allInnerTexts();
    expect(first).toMatch(/^ledger-http\s+the server that a value came from$/);
    expect(second).toMatch(/^ledger\s+the server that would get this$/);
    expect(await page.getByRole("radio").first().isChecked()).toBe(true);
    await press(page, "Deny and quarantine", over(page, "Denied"));
    expect((await answer).isError).toBe(true);
    expect(world.ledger().some((line) => line.name === "read_file" && line.args.path === PATH)).toBe(false);
  });

  test("the server that was set aside answers nothing more, and Apps says so", async () => {
    const refused = await call(source, "note", { text: "after" }).catch((error: unknown) => ({
      isError: true,
      text: String(error),
    }));
    expect(refused.isError).toBe(true);
    const page = await go("/apps");
    const row = page.locator(".sv").filter({ hasText: "ledger-http" });
    await row.getByText("Withheld.").waitFor();
    await row.getByRole("button", { name: /^Release/ }).click();
    await row.getByText("Withheld.").waitFor({ state: "detached" });
    expect((await call(source, "note", { text: "again" })).text).toBe("noted: again");
  });
});
