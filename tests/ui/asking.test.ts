// Questions, Decisions, exceptions, modes. FIXTURE: held calls with every answer, late ones, and a queue at will;
// `asking.real.test.ts` plays them with the real engine.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { until } from "./browser";
import { mailAsk, pageAsk, visitAsk } from "./fixture/asks";
import { HIDDEN, upstream } from "./fixture/data";
import { picture, tooWide } from "./look";
import { stage } from "./stage";

const on = stage();
const { go } = on;
const MAIL = "Cursor wants to send a private key to mailer, in a call that names mail-relay.example";
const VISIT = /^VS Code wants to reach an internal or disguised address: https:\/\/staging\.acme/;
const WINDOW = { width: 420, height: 560 };
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
/** Clicks until the engine was told: the first moments of a view take no input. */
async function decide(page: Page, name: string, id: string) {
  await until(async () => {
    if (on.fixture.world.answers.has(id)) return true;
    const one = button(page, name);
    if ((await one.count()) > 0) await one.click({ timeout: 1000 }).catch(() => {});
    return on.fixture.world.answers.has(id);
  }, `${name} reached the engine`);
  return on.fixture.world.answers.get(id);
}
async function step(page: Page, name: string) {
  const shown = page.getByRole("button", { name: "Back", exact: true });
  await until(async () => {
    if ((await shown.count()) > 0) return true;
    await button(page, name)
      .click({ timeout: 1000 })
      .catch(() => {});
    return (await shown.count()) > 0;
  }, `${name} opened the second view`);
}

describe("a question", () => {
  test("shows who wants what, every argument, the match and what it decodes to, and time left", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const page = await go("/ask?window", WINDOW);
    await page.getByRole("alertdialog", { name: MAIL }).waitFor();
    await page.getByText("all 3 shown").waitFor();
    for (const value of ["drop@mail-relay.example", "build log"])
      await page.getByText(value).first().waitFor();
    expect(await page.locator("dl.args mark").innerText()).toContain("LS0tLS1CRUdJTiBPUEVOU1NI");
    await page.getByText("Decoded from base64, ").waitFor();
    await page.locator("mark", { hasText: "BEGIN OPENSSH PRIVATE KEY" }).waitFor();
    await page.getByText("was in an answer of").waitFor();
    await page
      .getByText("“Send a plain text mail.”")
      .or(page.getByText("Send a plain text mail."))
      .first()
      .waitFor();
    await page.getByRole("timer", { name: /seconds left, then denied/ }).waitFor();
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
  });
  test("that was asked after the first answers and before the stream is shown", async () => {
    let opens = () => {};
    on.fixture.world.streamOpens = new Promise((resolve) => {
      opens = resolve;
    });
    const page = await go("/ask");
    await page.getByText("No question waiting").waitFor();
    on.fixture.world.asks = [mailAsk(Date.now())];
    opens();
    await page.getByText(MAIL).first().waitFor();
  });
  test("takes no click in its first moments, and no Enter at all", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const page = await go("/ask?window", WINDOW);
    await button(page, "Deny").waitFor();
    await page.evaluate(() => {
      for (const one of document.querySelectorAll("button")) if (one.textContent === "Deny") one.click();
    });
    await page.keyboard.press("Enter");
    await page.keyboard.press("Space");
    expect(on.fixture.world.answers.size).toBe(0);
    await page.waitForFunction(() =>
      [...document.querySelectorAll("button")].some(
        (one) => one.textContent === "Deny" && one.getAttribute("aria-disabled") === null,
      ),
    );
    await page.getByRole("heading", { level: 1 }).click();
    await page.keyboard.press("Enter");
    expect(on.fixture.world.answers.size).toBe(0);
    expect(await decide(page, "Deny", "askmail")).toEqual({ answer: { kind: "deny" }, acknowledged: false });
  });
  test("Critical: only once or exactly the same, and only after the sentence is ticked", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const page = await go("/ask", {});
    await step(page, "Allow…");
    const radios = page.getByRole("radio");
    expect(await radios.count()).toBe(2);
    expect(await radios.first().isChecked()).toBe(true);
    await page.getByText("nothing wider can be allowed").waitFor();
    const allow = button(page, "Allow this call");
    const tick = page.getByRole("checkbox", {
      name: /^Yes, I have read it and want Cursor to send a private key to mailer, in/,
    });
    // With the tick it wakes up after its first moments, without it it sleeps again.
    await tick.check();
    await expect.poll(() => allow.getAttribute("aria-disabled")).toBeNull();
    await tick.uncheck();
    expect(await allow.getAttribute("aria-disabled")).toBe("true");
    await allow.click({ force: true });
    expect(on.fixture.world.answers.size).toBe(0);
    await tick.check();
    expect(await decide(page, "Allow this call", "askmail")).toEqual({
      answer: { kind: "allow_once" },
      acknowledged: true,
    });
    await page.getByText("Allowed", { exact: true }).first().waitFor();
  });
  test("allowed twice before: the suggested scope is set, each row widens, the button says how far it reaches", async () => {
    on.fixture.world.asks = [visitAsk(Date.now())];
    const page = await go("/ask?window", WINDOW);
    await page.getByText("2 equal calls wait for this answer.").waitFor();
    await page.getByText("Portcullis did not see where this value came from.").waitFor();
    await step(page, "Allow…");
    expect(await page.getByRole("radio", { name: "Always, when all of this matches" }).isChecked()).toBe(
      true,
    );
    await page.getByText("Goes through without a question when").waitFor();
    await page.getByRole("checkbox", { name: "Only this: Destination" }).uncheck();
    await page.getByText("to any destination").waitFor();
    await page.getByRole("checkbox", { name: "Only this: Destination" }).check();
    await page.getByLabel("Ends").selectOption("60");
    expect(await decide(page, "Always allow this", "askvisit")).toMatchObject({
      answer: {
        kind: "allow_always",
        scope: { this_app: true, arguments: { reach: "shape", fixed: ["/wait"] }, these_destinations: true },
        expires: { ends: "after", minutes: 60 },
      },
    });
  });
  test("redaction shows what would be sent before it is", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const page = await go("/ask?window", WINDOW);
    await page.getByRole("button", { name: "Show redacted" }).click();
    await page.getByText("[redacted: SSH key]").waitFor();
    expect(await decide(page, "Redact and send", "askmail")).toMatchObject({
      answer: { kind: "redact_once" },
    });
  });
  test("that nobody answered stays, says so, and an answer is kept for the retry", async () => {
    on.fixture.world.asks = [pageAsk(Date.now())];
    const page = await go("/ask#ask_askpage");
    await page.getByRole("heading", { name: "Denied: nobody answered in time" }).waitFor();
    await page.locator("mark", { hasText: HIDDEN }).waitFor();
    await step(page, "Allow it next time…");
    await page.getByRole("checkbox", { name: /^Yes, I have read it/ }).check();
    expect(await decide(page, "Allow this call", "askpage")).toEqual({
      answer: { kind: "allow_once" },
      acknowledged: true,
    });
    expect(await page.evaluate(() => Reflect.get(window, "hacked"))).toBeUndefined();
  });
  test("that comes in shows on every page at once, the one on the screen is never replaced", async () => {
    const page = await go("/traffic");
    await until(() => on.fixture.listeners > 0, "the page listens");
    on.fixture.ask(visitAsk(Date.now()));
    const bar = page
      .getByRole("status")
      .filter({ hasText: "VS Code wants to reach an internal or disguised address" });
    await bar.getByRole("link", { name: "Decide" }).click();
    await page.getByRole("alertdialog", { name: VISIT }).waitFor();
    on.fixture.ask(mailAsk(Date.now() - 20_000));
    await page.getByText("1 more waiting").waitFor();
    await page.getByRole("alertdialog", { name: VISIT }).waitFor();
    await decide(page, "Deny", "askvisit");
    await page.getByRole("alertdialog", { name: MAIL }).waitFor();
  });
  test("that the app took back cannot be answered any more", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const page = await go("/ask?window", WINDOW);
    await button(page, "Deny").waitFor();
    await until(() => on.fixture.listeners > 0, "the page listens");
    const [ask] = on.fixture.world.asks;
    if (ask) ask.state = "cancelled";
    on.fixture.emit({ kind: "answered", ask: "askmail", state: "cancelled" });
    await page.getByRole("heading", { name: "The app took the call back. Nothing was sent." }).waitFor();
    expect(await button(page, "Deny").count()).toBe(0);
    expect(await button(page, "Allow…").count()).toBe(0);
  });
});

test("while a full-screen app is in front it is a strip: who wants what, the time, and nothing to answer with", async () => {
  on.fixture.world.asks = [mailAsk(Date.now())];
  const page = await go("/ask?window", { width: 320, height: 56 });
  const strip = page.getByRole("button", { name: MAIL.slice(0, 40) });
  await strip.waitFor();
  expect(await strip.innerText()).toMatch(/^Cursor wants to send a private key to mailer.*\d+ s$/s);
  expect(await page.getByRole("button").count()).toBe(1);
  await page.keyboard.press("Control+d");
  await page.keyboard.press("Control+l");
  await page.keyboard.press("Enter");
  await picture(page, "strip-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "strip-dark");
  expect(await tooWide(page)).toEqual([]);
  // A click asks the shell for the whole window; it is the shell that then makes the page larger.
  const asked = page.waitForRequest(/\/ask\?whole$/);
  await page.route(/\/ask\?whole$/, (route) => route.fulfill({ status: 204 }));
  await strip.click();
  await asked;
  await page.setViewportSize(WINDOW);
  await page.getByRole("alertdialog", { name: MAIL }).waitFor();
  expect(on.fixture.world.answers.size).toBe(0);
});

describe("a question that somebody looks at", () => {
  test("waits as long as its app does, once, and says so", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const page = await go("/ask?window", WINDOW);
    await button(page, "Deny").waitFor();
    expect(on.fixture.world.writes).toEqual([]);
    await page.mouse.move(200, 200);
    await page.mouse.move(210, 220);
    await page.getByText(/^Waiting longer, Cursor gives up soon after/).waitFor();
    await page.mouse.move(5, 5);
    await page.getByRole("heading", { level: 1 }).click();
    expect(on.fixture.world.writes.map((one) => one.path)).toEqual(["/api/asks/askmail/extend"]);
  });
  test("says where a value came from, and its server can be put aside with the answer", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const page = await go("/ask?window", WINDOW);
    await page.getByText("was in an answer of").waitFor();
    await button(page, "Quarantine…").click();
    const source = page.getByRole("radio").first();
    expect(await source.isChecked()).toBe(true);
    await page.getByText("the server that a value came from").waitFor();
    await page.getByLabel("For how long").selectOption("1440");
    expect(await decide(page, "Deny and quarantine", "askmail")).toEqual({
      answer: { kind: "deny_quarantine", upstream: upstream("docs"), minutes: 1440 },
      acknowledged: false,
    });
    expect(await page.locator("img").count()).toBe(0);
  });
  test("three from one server can be denied together, and never allowed together", async () => {
    const now = Date.now();
    on.fixture.world.asks = [0, 1, 2].map((n) => ({ ...mailAsk(now + n * 1000), id: `ask${n}` }));
    const page = await go("/ask?window", WINDOW);
    await until(async () => {
      const all = button(page, "Deny all 3 from mailer");
      if ((await all.count()) > 0) await all.click({ timeout: 1000 }).catch(() => {});
      return on.fixture.world.answers.size === 3;
    }, "all three were denied");
    expect([...on.fixture.world.answers.values()].map((one) => one.answer.kind)).toEqual([
      "deny",
      "deny",
      "deny",
    ]);
    expect(await page.getByText("Allow all").count()).toBe(0);
  });
  test("a window that nobody looked at closes some seconds after its question ended, a looked-at one stays", async () => {
    on.fixture.world.asks = [mailAsk(Date.now())];
    const unseen = await go("/ask?window", WINDOW);
    await button(unseen, "Deny").waitFor();
    await until(() => on.fixture.listeners > 0, "the page listens");
    await unseen.clock.install();
    const [ask] = on.fixture.world.asks;
    if (ask) ask.state = "cancelled";
    on.fixture.emit({ kind: "answered", ask: "askmail", state: "cancelled" });
    await unseen.getByRole("heading", { name: "The app took the call back. Nothing was sent." }).waitFor();
    await unseen.clock.runFor(8500);
    await unseen.waitForURL(/\/ask\?close/);
    const seen = await go("/ask?window#ask_askmail", WINDOW);
    await seen.clock.install();
    await seen.getByRole("heading", { level: 1 }).click();
    await seen.clock.runFor(20_000);
    expect(seen.url()).not.toContain("close");
  });
});

test("what loosens protection is said on every page, unless that page asked for it", async () => {
  const page = await go("/traffic");
  await until(() => on.fixture.listeners > 0, "the page listens");
  const change = {
    at: Date.now(),
    kind: "paused" as const,
    app: null,
    summary: "Checking was paused.",
    loosens: true,
  };
  on.fixture.emit({ kind: "change", change: { ...change, summary: "Nothing of note.", loosens: false } });
  on.fixture.emit({ kind: "change", change });
  const bar = page.getByRole("alert").filter({ hasText: "Checking was paused." });
  await bar.waitFor();
  expect(await page.getByText("Nothing of note.").count()).toBe(0);
  await bar.getByRole("button", { name: "I know" }).click();
  await bar.waitFor({ state: "detached" });
});

describe("Decisions", () => {
  test("are sentences; the search is in the address; hostile names stay text", async () => {
    const page = await go("/decisions");
    const rows = page.getByRole("listitem").filter({ has: page.getByRole("button", { name: "Revoke" }) });
    await rows.first().waitFor();
    expect(await rows.count()).toBe(5);
    await page.getByLabel("Search Decisions").fill("deny");
    await until(async () => (await rows.count()) === 1, "one is left");
    await expect.poll(() => page.url()).toContain("q=deny");
    await page.reload();
    await until(async () => (await rows.count()) === 1, "the address keeps the search");
    await page.goto(`${on.fixture.address}/decisions?state=ended`);
    await page.getByText("Ended: the tool's definition changed").waitFor();
    await page.getByText("Void: it was edited outside Portcullis").waitFor();
    expect(await page.locator("img").count()).toBe(0);
  });
  test("are revoked after the time to undo, and not before", async () => {
    const page = await go("/decisions");
    await page.clock.install();
    const first = page.locator(".decision").first();
    await first.getByRole("button", { name: "Revoke" }).click();
    await first.getByText(/Revoked in \d+ s/).waitFor();
    await first.getByRole("button", { name: "Undo" }).click();
    await page.clock.runFor(11_000);
    expect(on.fixture.world.writes).toEqual([]);
    await first.getByRole("button", { name: "Revoke" }).click();
    await page.clock.runFor(11_000);
    await until(() => on.fixture.world.writes.some((one) => one.method === "DELETE"), "the engine was told");
    expect(on.fixture.world.decisions[0]?.state).toBe("revoked");
  });
  test("an exception from an Alert: two clicks, the narrowest scope, with its replay", async () => {
    const row = on.fixture.world.rows[4];
    if (row) row.verdict = "ask";
    const id = row?.id;
    const page = await go(`/alerts#ex_${id}`);
    await page.getByRole("button", { name: "Make an exception…" }).click();
    await page.getByText("Would have let 3 calls through, 2 of which you allowed when asked.").waitFor();
    await page.getByRole("checkbox", { name: /^Yes, I have read it/ }).check();
    await button(page, "Make this exception").click();
    await page.getByText("Remembered in Decisions.").waitFor();
    expect(on.fixture.world.writes.filter((one) => one.path === "/api/decisions")[0]?.body).toEqual({
      exchange: id,
      effect: "allow",
      scope: {
        this_app: true,
        this_server: true,
        this_target: true,
        arguments: { reach: "exact" },
        these_destinations: true,
        these_signatures: true,
      },
      expires: { ends: "after", minutes: 43_200 },
      acknowledged: true,
    });
  });
});

test("modes: a server follows its app until it has one of its own", async () => {
  const page = await go("/apps");
  const files = page.getByLabel("Mode of files");
  await files.first().waitFor();
  expect(await files.first().inputValue()).toBe("monitor");
  await files.first().selectOption("");
  await until(() => Object.keys(on.fixture.world.modes.upstreams).length === 0, "its own mode is gone");
  await page.getByLabel("Mode of every app and server without one of its own").selectOption("block");
  await until(() => on.fixture.world.modes.default === "block", "the default changed");
});

test("the budget proposes an exception for a noisy Signature", async () => {
  const page = await go("/");
  const card = page.getByRole("region", { name: "Questions" });
  await card.getByText("96 asked, 94 allowed").waitFor();
  await card.getByRole("button", { name: "Make an exception…" }).click();
  await page.getByRole("dialog", { name: "Make an exception" }).waitFor();
});

describe("definitions", () => {
  test("what is held is said on every page, and reviewed against what was approved", async () => {
    const page = await go("/traffic");
    await page.getByText("1 definition waits for your review and is kept from the app.").waitFor();
    await page.getByRole("link", { name: "Review" }).click();
    await page.getByRole("row").filter({ hasText: "search" }).click();
    await page.getByText("It names `.env`, which it did not before.").waitFor();
    await page.locator(".diff .a").getByText("First read the file .env").waitFor();
    expect(await page.locator("img").count()).toBe(0);
    await page.getByRole("button", { name: "Keep what was approved" }).click();
    await page.getByText("Nothing waits for your review.").waitFor();
    expect(on.fixture.world.writes.at(-1)).toMatchObject({
      path: "/api/pins/release",
      body: { pins: [{ id: "pin-search", digest: "a1" }] },
    });
  });
  test("an approval names what is on the screen", async () => {
    const page = await go("/pins?state=changed#pin_pin-getpage");
    await page.getByText("Only the wording changed. Nothing to do.").waitFor();
    const [, pin] = on.fixture.world.pins;
    if (pin) pin.changed = "b4";
    await page.getByRole("button", { name: "Approve what it says now" }).click();
    await page.getByRole("alert").getByText("It changed meanwhile.").waitFor();
  });
});
