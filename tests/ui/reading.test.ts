// What a person reads is true, and where the focus is after an act. FIXTURE: states and answers at will.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { ExchangeDetail } from "../../ui/src/types";
import { answered, until } from "./browser";
import { mailAsk, visitAsk } from "./fixture/asks";
import { plainRow } from "./fixture/data";
import { TOKEN } from "./fixture/server";
import { settled } from "./look";
import { stage } from "./stage";

const on = stage();
const { go } = on;
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const focused = (page: Page) =>
  page.evaluate(() => (document.activeElement as HTMLElement | null)?.innerText.trim() ?? "");

describe("what became of a call", () => {
  test("a Block that went through says so, in every list and beside the call", async () => {
    const row = on.fixture.world.rows[1];
    if (row) row.outcome = "forwarded";
    for (const path of ["/", "/alerts?state=all", "/traffic"]) {
      const page = await go(path);
      await page.locator(".chip.loud", { hasText: "Went through" }).waitFor();
    }
    for (const path of ["/alerts?state=all", "/traffic", "/report"]) {
      const page = await go(`${path}#ex_${row?.id}`);
      await page.getByText("It went through: checking was paused, or the server is in Monitor.").waitFor();
    }
  });
  test("also on a phone, where there is little room", async () => {
    const row = on.fixture.world.rows[1];
    if (row) row.outcome = "forwarded";
    const page = await go("/traffic", { width: 360, height: 700 });
    const chip = page.locator(".chip.loud", { hasText: "Went through" });
    await chip.waitFor();
    const [mark, cell] = await Promise.all([chip.boundingBox(), chip.locator("xpath=../..").boundingBox()]);
    expect((mark?.x ?? 0) + (mark?.width ?? 0)).toBeLessThanOrEqual((cell?.x ?? 0) + (cell?.width ?? 0));
  });
  test("what was stopped says nothing of the kind", async () => {
    const page = await go("/alerts?state=all");
    await page.getByRole("row").nth(2).waitFor();
    expect(await page.getByText("Went through").count()).toBe(0);
  });
  test("an Exchange that failed is no plain Allow", async () => {
    const row = { ...plainRow(Date.now(), 90_501), target: "gone_tool", outcome: "failed" as const };
    on.fixture.world.rows.unshift(row);
    const page = await go(`/traffic#ex_${on.fixture.world.rows[3]?.id}`);
    await page.getByRole("row").filter({ hasText: "gone_tool" }).getByText("Failed").waitFor();
  });
  test("each Verdict can be asked for", async () => {
    const page = await go("/traffic");
    const options = page.getByLabel("Verdict").locator("option");
    for (const name of ["Block", "Ask", "Redact", "Flag", "Allow"])
      await options.filter({ hasText: new RegExp(`^${name}$`) }).waitFor({ state: "attached" });
  });
  test("a question the person denied: the app was told no, not that it may ask again", async () => {
    on.fixture.world.asks = [{ ...mailAsk(Date.now()), state: "denied" }];
    const page = await go("/ask#ask_askmail");
    await page.getByText("The app was told that you said no, and not to try another way.").waitFor();
    expect(await page.getByText("may ask again").count()).toBe(0);
  });
});

test("a call that the app took back was not denied", async () => {
  on.fixture.world.asks = [{ ...mailAsk(Date.now()), state: "cancelled" }];
  const page = await go("/ask");
  await page.locator(".askrow").getByText("Taken back").waitFor();
  expect(await page.locator(".askrow").getByText("Denied").count()).toBe(0);
});

describe("servers", () => {
  test("one that fails: how, what to do, and what it said last", async () => {
    const page = await go("/apps");
    const row = page.locator(".sv", { hasText: "broken" });
    await row.getByText("server exits with code 1", { exact: true }).waitFor();
    await row.getByText("Run the command below in a terminal").waitFor();
    await row.getByText("What it said last").click();
    const said = await row.locator("details .code").innerText();
    expect(said).toMatch(
      /^Error: Cannot find module 'pg'\n {4}at require \(<anonymous>:1\)RLO\sU\+202E\nNode\.js v22$/,
    );
  });
  test("those in quarantine are counted in the sentence of the Overview", async () => {
    const page = await go("/");
    await page.getByText("1 is quarantined.").waitFor();
  });
  test("what the headline says is not said again below it", async () => {
    on.fixture.world.status.servers_seen = 0;
    const page = await go("/");
    await page.getByRole("heading", { name: "None of your 8 servers was seen" }).waitFor();
    await page.getByText("1 is failing.").waitFor();
    expect(await page.getByText("not seen yet").count()).toBe(0);
  });
  test("no name of an app is cut off", async () => {
    const page = await go("/");
    const name = page.locator(".servers td .wi", { hasText: "Claude Desktop" });
    await name.waitFor();
    const [cell, words] = await Promise.all([
      name.locator("xpath=..").boundingBox(),
      name.evaluate((one) => {
        const range = document.createRange();
        range.selectNodeContents(one);
        return range.getBoundingClientRect().right;
      }),
    ]);
    expect(words).toBeLessThanOrEqual((cell?.x ?? 0) + (cell?.width ?? 0));
  });
  test("nothing is said of Messages that are not counted yet", async () => {
    on.fixture.world.rows = [];
    const page = await go("/settings");
    await answered(page);
    let arrives = () => {};
    const status = new Promise<void>((resolve) => {
      arrives = resolve;
    });
    await page.route("**/api/status", async (route) => {
      await status;
      await route.continue();
    });
    const alerts = page.waitForResponse(/\/api\/alerts/);
    await page.goto(`${on.fixture.address}/alerts`);
    await (await alerts).finished();
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    expect(await page.getByText("checked today").count()).toBe(0);
    arrives();
    await page.getByText("No Alerts. 1,660 Messages checked today.").waitFor();
  });
});

test("the first run says what is protected already", async () => {
  for (const app of on.fixture.world.apps) app.protected = true;
  const page = await go("/welcome?step=choose");
  await page.getByText(/^Portcullis stands between them and their \d+ servers\.$/).waitFor();
  expect(await page.getByText("Nothing has been changed yet").count()).toBe(0);
});

describe("the strongest Finding", () => {
  test("and what matched stand before the others", async () => {
    const page = await go("/settings");
    await answered(page);
    await page.route(/\/api\/exchanges\/\w+$/, async (route) => {
      const answer = await route.fetch();
      const detail = (await answer.json()) as ExchangeDetail;
      const [first] = detail.exchange.findings;
      if (first)
        detail.exchange.findings.push({
          ...first,
          signature: "another-one",
          severity: "low",
          title: "Another",
        });
      await route.fulfill({ response: answer, json: detail });
    });
    await page.goto(`${on.fixture.address}/alerts?state=all#ex_${on.fixture.world.rows[4]?.id}`);
    await page.getByRole("heading", { name: "Also found" }).waitFor();
    const heads = page.locator(".det .find");
    expect(await heads.count()).toBe(2);
    const message = await page.locator(".message").first().boundingBox();
    for (let n = 0; n < (await heads.count()); n++) {
      const box = await heads.nth(n).boundingBox();
      if (n === 0) expect(box?.y).toBeLessThan(message?.y ?? 0);
      else expect(box?.y).toBeGreaterThan(message?.y ?? 0);
    }
  });
});

describe("an engine that is away", () => {
  test("is said once; what was read stays where it is", async () => {
    const page = await go("/settings");
    await page.clock.install();
    await page.goto(`${on.fixture.address}/`);
    // Until all of it was read once: what was never read has nothing to show but that.
    await page.locator(".servers").waitFor();
    await settled(page);
    await on.fixture.stop();
    await page.getByText("What you see is as of").waitFor();
    await answered(page);
    const top = () => page.locator(".servers").evaluate((one) => one.getBoundingClientRect().top);
    const before = await top();
    // Everything that is asked again and again was asked meanwhile.
    await page.clock.fastForward(70_000);
    await answered(page);
    expect(await page.locator(".failure").count()).toBe(0);
    expect(await top()).toBe(before);
    await on.fixture.start();
  });
  test.each([["with all else"], ["only slow"]])(
    "when a page is opened is read when it is back, without a click; the stream was away %s",
    async (streamWas) => {
      const page = await go("/settings");
      await answered(page);
      let arrives = () => {};
      const stream = new Promise<void>((resolve) => {
        arrives = resolve;
      });
      await page.route("**/api/**", async (route) => {
        if (streamWas === "with all else" || !route.request().url().endsWith("/api/events"))
          return route.abort();
        await stream;
        // The end of the route may have let it go already.
        await route.continue().catch(() => {});
      });
      await page.goto(`${on.fixture.address}/traffic`);
      await page.locator(".failure").getByText("engine does not answer").waitFor();
      await page.unroute("**/api/**");
      arrives();
      await page.getByText("400 Exchanges").waitFor();
      expect(await page.locator(".failure").count()).toBe(0);
    },
  );
});

test.each([
  [360, 700],
  [640, 430],
])("an open Alert has the room of the list on a screen of %i by %i", async (width, height) => {
  const page = await go(`/alerts#ex_${on.fixture.world.rows[4]?.id}`, { width, height });
  const facts = page.getByRole("region", { name: "Alert detail" });
  await facts.locator("mark").first().waitFor();
  expect((await facts.boundingBox())?.height).toBeGreaterThan(height * 0.4);
  expect(await page.getByLabel("Search Alerts").isVisible()).toBe(false);
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByLabel("Search Alerts").waitFor();
});

test("hints of a choice stand under its words", async () => {
  on.fixture.world.asks = [mailAsk(Date.now())];
  const page = await go("/ask?window", { width: 420, height: 560 });
  await until(async () => {
    if ((await page.locator(".opt .d").count()) > 0) return true;
    await button(page, "Allow…")
      .click({ timeout: 1000 })
      .catch(() => {});
    return (await page.locator(".opt .d").count()) > 0;
  }, "the second view is open");
  const left = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((one) => {
        const range = document.createRange();
        range.selectNodeContents(one);
        return Math.round(range.getBoundingClientRect().left);
      });
  expect(await left(".opt .d")).toBe(await left(".opt > span:not(.d)"));
});

test("an exception is offered only where one would change something", async () => {
  const page = await go(`/alerts#ex_${on.fixture.world.rows[4]?.id}`);
  await button(page, "Block this from now on…").waitFor();
  expect(await button(page, "Make an exception…").count(), "a Flag went on by itself").toBe(0);
  await page.keyboard.press("e");
  expect(await page.getByRole("dialog").count()).toBe(0);
});

test("looking for apps again says that it was done", async () => {
  const page = await go("/apps");
  await button(page, "Look again").click();
  await page.getByText("Looked just now.").waitFor();
});

describe("the focus", () => {
  test("leaves a row of tabs with Tab, and goes on to the list", async () => {
    const page = await go("/alerts");
    await page.getByRole("row").nth(2).waitFor();
    const tab = page.getByRole("tab", { selected: true });
    await tab.focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => focused(page)).toMatch(/^Reviewed/);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => focused(page)).toMatch(/^Open/);
    await page.getByRole("row").nth(2).waitFor();
    await page.keyboard.press("Tab");
    await answered(page);
    expect(await tab.evaluate((one) => one === document.activeElement)).toBe(false);
  });
  test("goes back to the switch whose preview is closed", async () => {
    const page = await go("/apps");
    const toggle = page.getByRole("switch", { name: "Protect db-prod in Cursor" });
    await toggle.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Preview" }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => toggle.evaluate((one) => one === document.activeElement)).toBe(true);
  });
  test("stays at the pause when one button takes the other's place", async () => {
    const page = await go("/");
    await button(page, "Pause").click();
    await page.getByRole("menuitem", { name: "For 15 minutes" }).click();
    await page.locator(".top").getByRole("button", { name: "Resume" }).waitFor();
    await expect.poll(() => focused(page)).toBe("Resume");
    await page.keyboard.press("Enter");
    await page.locator(".top").getByRole("button", { name: "Pause" }).waitFor();
    await expect.poll(() => focused(page)).toBe("Pause");
  });
  test("goes to the page when the bar that had it is gone", async () => {
    on.fixture.world.status.protection = { state: "paused", until: null };
    const page = await go("/traffic");
    await page.locator(".bar").getByRole("button", { name: "Resume" }).click();
    await page.locator(".bar", { hasText: "Paused" }).waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("main");
  });
  test("stays at the review when it is taken back, and at a Decision that is not revoked after all", async () => {
    const page = await go(`/alerts#ex_${on.fixture.world.rows[4]?.id}`);
    await button(page, "Attack").click();
    await button(page, "Take back").waitFor();
    await expect.poll(() => focused(page)).toBe("Take back");
    await page.keyboard.press("Enter");
    await button(page, "Attack").waitFor();
    await expect.poll(() => focused(page)).toBe("Expected");
    await page.goto(`${on.fixture.address}/decisions`);
    await button(page, "Revoke").first().click();
    await expect.poll(() => focused(page)).toBe("Undo");
    await page.keyboard.press("Enter");
    await expect.poll(() => focused(page)).toBe("Revoke");
    expect(on.fixture.world.writes.filter((one) => one.method === "DELETE")).toEqual([]);
  });
  test("goes to the headline of a question's second view, and back", async () => {
    on.fixture.world.asks = [visitAsk(Date.now())];
    const page = await go("/ask?window", { width: 420, height: 560 });
    await until(async () => {
      if ((await button(page, "Back").count()) > 0) return true;
      await button(page, "Allow…")
        .click({ timeout: 1000 })
        .catch(() => {});
      return (await button(page, "Back").count()) > 0;
    }, "the second view is open");
    await expect.poll(() => focused(page)).toBe("Allow this call?");
    await button(page, "Back").click();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("ask-title");
    expect(on.fixture.world.answers.size).toBe(0);
  });
  test("stays on the mode that was chosen", async () => {
    const page = await go("/apps");
    const mode = page.getByLabel("Mode of files").first();
    await mode.focus();
    await mode.selectOption("block");
    await until(
      () => on.fixture.world.modes.upstreams !== undefined && on.fixture.world.writes.length > 0,
      "told",
    );
    await answered(page);
    expect(await mode.evaluate((one) => one === document.activeElement)).toBe(true);
  });
});

describe("a Decision that is being revoked", () => {
  test("is revoked at once when its row is left", async () => {
    const page = await go("/decisions");
    await button(page, "Revoke").first().click();
    await button(page, "Undo").waitFor();
    expect(on.fixture.world.writes).toEqual([]);
    await page.getByRole("link", { name: "Traffic" }).click();
    await until(() => on.fixture.world.writes.some((one) => one.method === "DELETE"), "the engine was told");
    expect(on.fixture.world.writes.filter((one) => one.method === "DELETE")).toHaveLength(1);
  });
  test("is a sentence that names the app", async () => {
    const page = await go("/decisions");
    await page.getByText("read_file of files, for Cursor, with exactly these arguments").first().waitFor();
    await page.getByRole("link", { name: /Make an exception/ }).click();
    await page.getByRole("heading", { name: "Alerts" }).waitFor();
  });
});

test("`c` says that the link was copied", async () => {
  const page = await go("/traffic?verdict=block");
  await page.getByText("5 Exchanges").waitFor();
  await page.keyboard.press("c");
  await page.getByText("Link copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("/traffic?verdict=block");
  await page.getByText("Link copied").waitFor({ state: "detached" });
});

test("examples of a Signature say where in a Message they stand", async () => {
  const page = await go("/signatures#sig_path-outside-roots");
  await page.getByRole("heading", { name: "Hit: it must match this" }).waitFor();
  // Once for the hits, once for the miss, not beside every one.
  expect(await page.getByText("a path in a call").count()).toBe(2);
});

test("a Signature leads to its Alerts and to the Decisions about it", async () => {
  const page = await go("/signatures#sig_path-outside-roots");
  await page.getByRole("link", { name: /^Its Alerts/ }).click();
  await page.getByRole("tab", { name: /^All/, selected: true }).waitFor();
  await page.getByRole("row").filter({ hasText: "path-outside-roots" }).first().waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "Decisions about it" }).click();
  await page.getByLabel("Search Decisions").waitFor();
  expect(await page.getByLabel("Search Decisions").inputValue()).toBe("path-outside-roots");
  await page.locator(".decision").first().waitFor();
});

test("a second page of the browser is paired, forgotten and coloured with the first", async () => {
  const first = await go("/settings");
  await first.getByRole("heading", { name: "Settings" }).waitFor();
  const second = await first.context().newPage();
  await second.goto(`${on.fixture.address}/traffic`);
  await second.getByRole("heading", { name: "Traffic" }).waitFor();
  await first.getByRole("radio", { name: "Dark" }).click();
  await expect.poll(() => second.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  await button(first, "Forget this browser").click();
  await second.getByRole("heading", { name: "Pair this browser" }).waitFor();
  await first.evaluate((token) => localStorage.setItem("portcullis.token", token), TOKEN);
  await second.getByRole("heading", { name: "Traffic" }).waitFor();
});
