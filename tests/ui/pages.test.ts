// What the pages do, in a real Chromium.
// FIXTURE: uses the fixture server. Hostile names, 10,000 rows, an engine that dies and comes back, a refused write and
// an unreadable log are states that the real engine cannot be brought into quickly; `real.test.ts` covers the real one.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { answered, until } from "./browser";
import { HIDDEN, HOSTILE_NAME, plainRow, upstream } from "./fixture/data";
import { CODE } from "./fixture/server";
import { emptyWorld, fullWorld } from "./fixture/worlds";
import { stage } from "./stage";

const on = stage();
const { go } = on;
const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { name }).first().waitFor();
const live = (page: Page) =>
  until(() => on.fixture.listeners > 0, "the page listens to events").then(() => page);

describe("pairing", () => {
  test("without a token: the page that says how, a wrong code is explained, the right one opens the dashboard", async () => {
    const page = await go("/traffic", { token: null });
    await heading(page, "Pair this browser");
    await page.getByText("portcullis pair", { exact: true }).waitFor();
    await page.getByLabel("Code").fill("WRONG");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("wrong, used or too old").waitFor();
    await page.getByLabel("Code").fill(CODE);
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await heading(page, "Traffic");
    await page.reload();
    await heading(page, "Traffic");
  });
  test("a code in the address is used at once and leaves the address bar and the history", async () => {
    const page = await go(`/#pair=${CODE}`, { token: null });
    await heading(page, /servers are seen/);
    await expect.poll(() => page.url()).toBe(`${on.fixture.address}/`);
    await page.goBack();
    expect(page.url()).not.toContain("pair");
  });
  test("a token that is no longer taken leads back to pairing", async () => {
    const page = await go("/", { token: "an old token" });
    await heading(page, "Pair this browser");
    expect(await page.evaluate(() => localStorage.getItem("portcullis.token"))).toBeNull();
  });
});

describe("hostile text", () => {
  test("is never HTML, on no page that shows it", async () => {
    const blocked = on.fixture.world.rows[1]?.id;
    for (const path of ["/", "/alerts", `/alerts#ex_${blocked}`, "/traffic", `/traffic#ex_${blocked}`]) {
      const page = await go(path);
      await page.getByText("onerror=").first().waitFor();
      expect(await page.evaluate(() => Reflect.get(window, "hacked"))).toBeUndefined();
      expect(await page.locator("img, #root script").count()).toBe(0);
      await page.context().close();
    }
  });
  test("bidi and invisible characters are chips, never obeyed", async () => {
    const page = await go(`/traffic#ex_${on.fixture.world.rows[1]?.id}`);
    const route = page.locator(".route .name").first();
    await route.waitFor();
    expect(await route.innerText()).toBe("openRLO U+202Egpj.tratsPDF U+202CZWSP U+200B");
    expect(await route.evaluate((element) => getComputedStyle(element).unicodeBidi)).toBe("isolate");
    expect(await page.locator("body").innerText()).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]/);
  });
  test("long names are cut in the middle in a list and whole in the detail", async () => {
    const id = on.fixture.world.rows[2]?.id;
    const page = await go("/traffic");
    const cell = page.getByRole("row").filter({ hasText: "tool_name_end" }).locator(".name").last();
    expect(Array.from(await cell.innerText())).toHaveLength(40);
    await page.goto(`${on.fixture.address}/traffic#ex_${id}`);
    await page
      .locator(".route")
      .getByText(`get_${"very_".repeat(20)}long_tool_name_end`)
      .waitFor();
  });
});

describe("an Alert", () => {
  test("shows the matched span, what it says, why, what to do, and takes a review", async () => {
    const id = on.fixture.world.rows[4]?.id ?? "";
    const page = await go("/alerts");
    await page.getByRole("row").filter({ hasText: "Invisible characters" }).click();
    await expect.poll(() => page.url()).toContain(`#ex_${id}`);
    await page.locator("mark .ghost").filter({ hasText: "90 × TAG U+E0042" }).waitFor();
    await page.getByRole("heading", { name: "What the invisible part says" }).waitFor();
    await page.locator("mark", { hasText: HIDDEN }).waitFor();
    await heading(page, "Why you see this");
    await heading(page, "What to do");
    await page.getByRole("button", { name: "Attack", exact: true }).click();
    await page.getByText("Reviewed as attack").waitFor();
    expect(on.fixture.world.reviews.get(id)).toBe("attack");
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByRole("button", { name: "Attack", exact: true }).waitFor();
    expect(on.fixture.world.reviews.size).toBe(0);
  });
  test("that comes in while one is open waits; `.` shows it", async () => {
    const page = await go(`/alerts#ex_${on.fixture.world.rows[4]?.id}`).then(live);
    await page.locator(".vrow[aria-selected=true]").waitFor();
    on.fixture.arrive({
      ...plainRow(Date.now(), 90_401),
      verdict: "block",
      signature: "new-one",
      title: "A new kind of thing",
    });
    await page.getByText("1 newer, held back while you read").waitFor();
    expect(await page.getByText("A new kind of thing").count()).toBe(0);
    await page.keyboard.press(".");
    await page.getByRole("row").first().getByText("A new kind of thing").waitFor();
    expect(await page.locator(".vrow[aria-selected=true]").innerText()).toContain("Invisible characters");
  });
  test("hides long arguments but never the match, and opens them", async () => {
    const page = await go(`/alerts#ex_${on.fixture.world.rows[8]?.id}`);
    await page.locator("mark", { hasText: "../../../etc/shadow" }).waitFor();
    expect(await page.getByText('"line 30"').count()).toBe(0);
    await page
      .getByRole("button", { name: /lines hidden/ })
      .last()
      .click();
    await page.getByText('"line 30"').waitFor();
  });
  test("readable leaves invisible characters out, but for what matched", async () => {
    const page = await go(`/alerts#ex_${on.fixture.world.rows[4]?.id}`);
    await page.locator("mark .ghost").first().waitFor();
    await page.keyboard.press("v");
    await page.locator(".message .ghost", { hasText: "RLO" }).waitFor({ state: "detached" });
    await page.locator(".message mark .ghost", { hasText: "TAG" }).waitFor();
    expect(await page.locator(".message").innerText()).toMatch(/Then opengpj\.trats\s+in/);
  });
});

describe("Traffic", () => {
  test("10,000 rows: few are in the page, all can be reached by scrolling", async () => {
    on.fixture.world.rows = Array.from({ length: 10_000 }, (_, i) =>
      plainRow(on.fixture.world.now - i * 1000, i),
    );
    const page = await go("/traffic");
    await page.getByText("10,000 Exchanges").waitFor();
    const grid = page.getByRole("grid", { name: "Exchanges" });
    expect(await grid.getAttribute("aria-rowcount")).toBe("10000");
    await grid.focus();
    const last = on.fixture.world.rows.at(-1)?.id ?? "";
    await until(
      async () => {
        await page.keyboard.press("End");
        expect(await page.getByRole("row").count()).toBeLessThan(120);
        await page.keyboard.press("Enter");
        const reached = page.url().endsWith(last);
        await page.keyboard.press("Escape");
        return reached;
      },
      "the last row is reached",
      50_000,
    );
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain(on.fixture.world.rows[0]?.id);
  });
  test("a new row joins at the top while nobody reads", async () => {
    const page = await go("/traffic").then(live);
    await page.getByRole("row").nth(5).waitFor();
    on.fixture.arrive({ ...plainRow(Date.now(), 90_001), target: "brand_new_tool" });
    await page.getByRole("row").nth(1).getByText("brand_new_tool").waitFor();
    await page.getByText("401 Exchanges").waitFor();
  });
  test("new rows wait while one is open; selection and scroll stay; `.` shows them", async () => {
    const page = await go(`/traffic#ex_${on.fixture.world.rows[4]?.id}`).then(live);
    await page.locator(".vrow[aria-selected=true]").waitFor();
    const before = await page.locator(".vrow[aria-selected=true]").boundingBox();
    for (let i = 0; i < 5; i++)
      on.fixture.arrive({ ...plainRow(Date.now(), 90_100 + i), target: `late_${i}` });
    await page.getByText("5 newer, held back while you read").waitFor();
    const after = await page.locator(".vrow[aria-selected=true]").boundingBox();
    // The line itself takes its own height, the row is still the same one.
    expect(await page.locator(".vrow[aria-selected=true]").innerText()).toContain("get_page");
    expect((after?.y ?? 0) - (before?.y ?? 0)).toBeLessThan(40);
    expect(await page.getByText("late_0").count()).toBe(0);
    await page.keyboard.press(".");
    await page.getByText("late_4").waitFor();
    await expect
      .poll(() => page.url())
      .toContain(on.fixture.world.rows.find((row) => row.signature === "hidden-unicode-tags")?.id);
  });
  test("a response updates its row in place", async () => {
    const page = await go("/traffic").then(live);
    await page.getByRole("row").nth(5).waitFor();
    const row = { ...plainRow(Date.now(), 90_201), target: "slow_tool", duration_us: null };
    on.fixture.arrive(row);
    await page.getByText("slow_tool").waitFor();
    on.fixture.emit({ kind: "exchange_updated", row: { ...row, verdict: "block", duration_us: 5000 } });
    await page.getByRole("row").filter({ hasText: "slow_tool" }).getByText("Block").waitFor();
    expect(await page.getByText("slow_tool").count()).toBe(1);
  });
  test("a gap says how many rows were not kept", async () => {
    const page = await go("/traffic").then(live);
    await page.getByRole("row").nth(5).waitFor();
    on.fixture.emit({ kind: "gap", dropped: 312 });
    await page.getByText(/312 plain rows were not kept at .* No blocked call is missing/).waitFor();
  });
  test("filters on the server, keeps the filter in the address, clears it with Esc", async () => {
    const page = await go("/traffic");
    await page.getByText("400 Exchanges").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("app:cursor shadowless");
    await page.getByText("No Exchange matches.").waitFor();
    await expect.poll(() => page.url()).toContain("/traffic?app=cursor&q=shadowless");
    await page.getByRole("button", { name: /Clear filter/ }).click();
    await page.getByText("400 Exchanges").waitFor();
    await page.getByLabel("Verdict").selectOption("block");
    await page.getByText("5 Exchanges").waitFor();
    await page.reload();
    await page.getByText("5 Exchanges").waitFor();
    await page.getByLabel("Server", { exact: true }).selectOption(upstream("docs"));
    await page.getByText("1 Exchange").waitFor();
    await page.locator("h1").click();
    await page.keyboard.press("Escape");
    await page.getByText("400 Exchanges").waitFor();
    await expect.poll(() => page.url()).toBe(`${on.fixture.address}/traffic`);
  });
  test("full text search shows live rows that the server says match", async () => {
    const page = await go("/traffic?q=special").then(live);
    await page.getByText("No Exchange matches.").waitFor();
    on.fixture.arrive({ ...plainRow(Date.now(), 90_301), target: "special_tool" });
    await page.getByText("special_tool").waitFor();
  });
});

test.each(["/traffic", "/alerts", "/", "#exchange", "#alert", "#report"])(
  "%s shows no id of an app that turns into its name",
  async (where) => {
    const id = on.fixture.world.rows[4]?.id;
    const open = { "#exchange": "/traffic#ex_", "#alert": "/alerts#ex_", "#report": "/report#ex_" }[where];
    const page = await go("/settings");
    await heading(page, "Settings");
    let release = () => {};
    const named = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/api/apps", async (route) => {
      await named;
      await route.continue();
    });
    // Everything else is answered and drawn while the list of apps is still awaited.
    const rows = page.waitForResponse(/\/api\/(exchanges|alerts)[/?]/);
    await page.goto(on.fixture.address + (open === undefined ? where : open + id));
    await (await rows).finished();
    await page.locator(".skeleton").first().waitFor();
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    expect(await page.locator(".trow[role=none], .alertwords, .route, .paper").count()).toBe(0);
    release();
    await page.locator(".trow[role=none], .alertwords, .route, .paper").first().waitFor();
    expect(await page.locator("main").innerText()).not.toMatch(/\bcursor\b/);
    if (open === undefined && where !== "/traffic")
      await page.locator(".alertwords", { hasText: "Cursor →" }).first().waitFor();
  },
);

describe("Apps", () => {
  test("a switch opens a preview, nothing is written before the button, then exactly once", async () => {
    const page = await go("/apps");
    const toggle = page.getByRole("switch", { name: "Protect db-prod in Cursor" });
    expect(await toggle.getAttribute("aria-checked")).toBe("false");
    await toggle.click();
    await page
      .getByText("One line changes", { exact: false })
      .or(page.getByText("1 line changes", { exact: false }))
      .waitFor();
    await page.locator(".diff .a", { hasText: "http://127.0.0.1:28174/cursor/db-prod" }).waitFor();
    await page.locator(".diff .d", { hasText: "https://db.example/sse" }).waitFor();
    expect(await toggle.getAttribute("aria-checked")).toBe("false");
    expect(on.fixture.world.writes.map((write) => write.path)).toEqual(["/api/apps/cursor/preview"]);
    await page.getByRole("button", { name: "Write this change" }).click();
    await page.getByText("Written: 1 file").waitFor();
    await page.getByText("Restart Cursor to apply.").waitFor();
    expect(on.fixture.world.writes.at(-1)).toMatchObject({
      path: "/api/apps/cursor/apply",
      body: { token: "preview-1" },
    });
    await until(
      async () => (await toggle.getAttribute("aria-checked")) === "true",
      "the switch follows the file",
    );
  });
  test("a file that changed meanwhile: nothing written, a new preview is one click away", async () => {
    on.fixture.world.failing.set("/api/apps/cursor/apply", {
      code: "changed_outside",
      message:
        "~/.cursor/mcp.json changed while Portcullis was writing. Nothing was written. Look at the new preview.",
      details: null,
    });
    const page = await go("/apps");
    await page.getByRole("switch", { name: "Protect db-prod in Cursor" }).click();
    await page.getByRole("button", { name: "Write this change" }).click();
    await page.getByRole("alert").getByText("Nothing was written").waitFor();
    on.fixture.world.failing.clear();
    await page.getByRole("button", { name: "Look at the new preview" }).click();
    await page.getByRole("button", { name: "Write this change" }).click();
    await page.getByText("Written: 1 file").waitFor();
    expect(on.fixture.world.writes.at(-1)?.body).toEqual({ token: "preview-2" });
  });
  test("a server that asks for a sign-in is led to, and tokens can be forgotten", async () => {
    const page = await go("/apps");
    const card = page.getByRole("region", { name: "Sign-ins" });
    await card.getByText("asks you to sign in").waitFor();
    const [tab] = await Promise.all([
      page.waitForEvent("popup"),
      card.getByRole("button", { name: "Sign in: tickets", exact: true }).click(),
    ]);
    expect(tab.url()).toContain("/healthz");
    expect(await tab.evaluate(() => window.opener)).toBe(null);
    await tab.close();
    await card.getByText("signed in at https://id.example").waitFor();
    await card.getByRole("button", { name: "Sign out" }).click();
    await card.getByText("signed in at").waitFor({ state: "detached" });
    expect(on.fixture.world.writes.map((write) => write.method)).toEqual(["POST", "DELETE"]);
  });
  test("the app's switch has three states and every observed state has its words", async () => {
    const page = await go("/apps");
    const cursor = page.getByRole("switch", { name: "Protect Cursor, some servers are on" });
    expect(await cursor.getAttribute("aria-checked")).toBe("mixed");
    for (const words of [
      "Seen",
      "File edited outside",
      "Failing:",
      "Not covered.",
      "Not protected yet.",
      "Queued.",
    ])
      await page.locator(".obs", { hasText: words }).first().waitFor();
  });
  test("a server past us is said in the status, on the Overview and where it is", async () => {
    const [files, mailer] = on.fixture.world.apps[0]?.files[0]?.servers ?? [];
    if (!files || !mailer) throw new Error("the fixture has other servers");
    files.observed = { state: "bypassing", reason: "Cursor runs it directly (process 7)." };
    files.used_by = [{ app: "vscode", name: "VS Code", client: "<b>me</b>" }];
    mailer.observed = { state: "waiting", hint: "Restart Cursor." };
    on.fixture.world.status.servers_bypassing = 1;
    const page = await go("/apps");
    await page.locator(".obs.past", { hasText: "Bypassing. Cursor runs it directly (process 7)." }).waitFor();
    await page.locator(".obs", { hasText: "Waits for the app. Restart Cursor." }).waitFor();
    await page.getByText("Used by VS Code (<b>me</b>)").waitFor();
    await page.getByText("Watching 3 of 8 servers, 1 bypassing").waitFor();
    await page.goto(page.url().replace("/apps", "/"));
    await heading(page, /3 of 8 servers are seen going through Portcullis, 1 bypassing/);
    await page.getByText("An app runs 1 server past Portcullis").waitFor();
  });
});

describe("Signatures and Settings", () => {
  test("a Signature is switched off, its examples and source are shown, a broken file is named", async () => {
    const page = await go("/signatures#sig_path-outside-roots");
    await heading(page, "path-outside-roots");
    await page.getByText("broken.toml").waitFor();
    await page.getByText("line 14", { exact: false }).waitFor();
    await page.getByText('{"path": "../../../etc/shadow"}').waitFor();
    await page.getByRole("button", { name: "Source file" }).click();
    await page.getByText('id = "path-outside-roots"').waitFor();
    await page.getByRole("switch", { name: "Use path-outside-roots" }).click();
    await page.getByRole("option", { name: /path-outside-roots.*off/ }).waitFor();
    expect(on.fixture.world.writes).toMatchObject([{ method: "PUT", body: { enabled: false } }]);
  });
  test("settings are saved one by one, a number only when it is one", async () => {
    const page = await go("/settings");
    await page.getByRole("switch", { name: "Protect new servers by themselves" }).click();
    await until(() => on.fixture.world.settings.protect_new_servers, "the switch is saved");
    const days = page.getByLabel("Keep for");
    await days.fill("0");
    await page.getByText("Between 1 and 3,650.").waitFor();
    await days.press("Enter");
    expect(await days.inputValue()).toBe("30");
    await days.fill("7");
    await days.press("Enter");
    await until(() => on.fixture.world.settings.retention_days === 7, "the number is saved");
    expect(on.fixture.world.settings.retention_mib).toBe(512);
  });
  test("theme and density are this browser's and survive a reload", async () => {
    const page = await go("/settings");
    await page.getByRole("radio", { name: "Dark" }).click();
    await page.getByRole("radio", { name: "Comfortable" }).click();
    await page.reload();
    await heading(page, "Settings");
    expect(await page.evaluate(() => ({ ...document.documentElement.dataset }))).toEqual({
      theme: "dark",
      density: "comfortable",
    });
  });
});

describe("states", () => {
  test("before the first Message the drill is offered, and its table is shown live", async () => {
    on.fixture.world = emptyWorld();
    const page = await go("/").then(live);
    await heading(page, "Nothing has come through yet");
    await page.getByRole("main").getByRole("button", { name: "Run the drill" }).last().click();
    await heading(page, "Drill");
    expect(on.fixture.world.writes).toMatchObject([{ method: "POST", path: "/api/drill" }]);
    // An answer that is still on its way would take the place of the event.
    await answered(page);
    const report = fullWorld().drill;
    if (!report) throw new Error("the full on.fixture has a drill");
    on.fixture.emit({ kind: "drill", report: { ...report, running: true, rows: report.rows.slice(0, 4) } });
    await page.getByText("Running, 2 attacks tried").waitFor();
    on.fixture.emit({ kind: "drill", report });
    await page.getByText("14 of 15 caught").waitFor();
    await page.getByText("Got through").waitFor();
  });
  test("paused: a bar on every page, resume works", async () => {
    const page = await go("/");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("menuitem", { name: "For 15 minutes" }).click();
    await page.getByText(/Paused until \d\d:\d\d\. Calls are recorded, nothing is blocked/).waitFor();
    await page.getByRole("link", { name: "Traffic" }).click();
    await page.getByText(/Calls are recorded, nothing is blocked/).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText(/Calls are recorded/).waitFor({ state: "detached" });
    expect(on.fixture.world.writes.map((write) => write.path)).toEqual(["/api/pause", "/api/resume"]);
  });
  test("the engine dies: data stays, writes are off; it comes back: all is fresh by itself", async () => {
    const page = await go("/apps").then(live);
    const toggle = page.getByRole("switch", { name: "Protect db-prod in Cursor" });
    await toggle.waitFor();
    await on.fixture.stop();
    await page.getByText("Portcullis' engine does not answer.", { exact: false }).waitFor();
    await expect.poll(() => toggle.getAttribute("aria-disabled")).toBe("true");
    await page.getByText("mailer", { exact: true }).waitFor();
    on.fixture.world.status.servers_seen = 8;
    await on.fixture.start();
    await page.getByText("Watching 8 of 8 servers").waitFor({ timeout: 20_000 });
    await expect.poll(() => toggle.getAttribute("aria-disabled")).toBeNull();
  });
  test("an error stands in its place with its code, and Retry works", async () => {
    on.fixture.world.failing.set("/api/exchanges", {
      code: "audit_locked",
      message: "The audit log could not be read. Checking goes on.",
      details: null,
    });
    const page = await go("/traffic");
    await page.getByRole("alert").getByText("The audit log could not be read. Checking goes on.").waitFor();
    await page.getByText("(audit_locked)").waitFor();
    on.fixture.world.failing.clear();
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByText("400 Exchanges").waitFor();
  });
  test("loading shows rows of the final height, after a moment", async () => {
    on.fixture.world.delayMs = 1500;
    const page = await go("/traffic");
    const row = page.locator(".skeleton > div").first();
    await row.waitFor();
    expect((await row.boundingBox())?.height).toBe(34);
    await page.getByText("400 Exchanges").waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
  });
  test("an Exchange that is gone says so", async () => {
    const page = await go("/traffic#ex_000000000000000000000000");
    await page.getByRole("alert").getByText("not kept any more").waitFor();
  });
});

describe("keyboard", () => {
  test("g and a letter go to pages, ? lists the keys, Ctrl K goes anywhere", async () => {
    const page = await go("/");
    await heading(page, /servers are seen/);
    for (const [key, title] of [
      ["t", "Traffic"],
      ["a", "Alerts"],
      ["p", "Apps"],
      ["s", "Signatures"],
      [",", "Settings"],
      ["d", "Decisions"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await heading(page, title);
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("bidi");
    await page.keyboard.press("Enter");
    await heading(page, "bidi-override");
  });
  test("j, Enter, ], Esc walk through Traffic", async () => {
    const page = await go("/traffic");
    await page.getByRole("row").nth(5).waitFor();
    for (const key of ["j", "j", "j", "k", "Enter"]) await page.keyboard.press(key);
    await expect.poll(() => page.url()).toContain(on.fixture.world.rows[1]?.id);
    const tab = (name: string) => page.getByRole("tab", { name, selected: true }).waitFor();
    await tab("Request");
    await page.keyboard.press("]");
    await tab("Response");
    await page.getByText("The call did not run").first().waitFor();
    await page.keyboard.press("j");
    await expect.poll(() => page.url()).toContain(on.fixture.world.rows[2]?.id);
    await tab("Response");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.url()).toBe(`${on.fixture.address}/traffic`);
  });
  test("letters do nothing in a text field, and nothing anywhere when they are off", async () => {
    const page = await go("/traffic");
    await page.getByRole("row").nth(5).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("gsj");
    expect(await page.getByLabel("Filter").inputValue()).toBe("gsj");
    await heading(page, "Traffic");
    await page.goto(`${on.fixture.address}/settings`);
    await page.getByRole("switch", { name: "Single-letter shortcuts" }).click();
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.keyboard.press("?");
    await heading(page, "Settings");
    expect(await page.getByRole("dialog").count()).toBe(0);
  });
  test("the address of what is open can be copied", async () => {
    const page = await go(`/traffic#ex_${on.fixture.world.rows[4]?.id}`);
    await page.getByRole("tab", { selected: true }).waitFor();
    await page.keyboard.press("c");
    await until(
      async () => (await page.evaluate(() => navigator.clipboard.readText())) === page.url(),
      "the link is in the clipboard",
    );
  });
});

test("nothing is loaded from elsewhere and the hostile name of the fixture is what it claims to be", async () => {
  const elsewhere: string[] = [];
  const page = await go("/");
  page.on("request", (request) => {
    if (!request.url().startsWith(on.fixture.address)) elsewhere.push(request.url());
  });
  for (const path of ["/alerts", "/signatures", "/settings"]) {
    await page.goto(on.fixture.address + path);
    await page.locator("h1").first().waitFor();
  }
  expect(elsewhere).toEqual([]);
  expect(HOSTILE_NAME).toContain("<script>");
});
