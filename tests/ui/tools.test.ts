// What helps a reader: bytes, export, the report, the first run, keys on every page, filters in addresses.
// FIXTURE: canned pages; the same against the real engine with a full log is in `large.test.ts`.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { until } from "./browser";
import { Fixture } from "./fixture/server";
import { emptyWorld } from "./fixture/worlds";
import { stage } from "./stage";

const on = stage();
const { go } = on;

test("Bytes: the very bytes, with those that matched", async () => {
  const page = await go(`/traffic#ex_${on.fixture.world.rows[8]?.id}`);
  await page.locator(".det mark").first().waitFor();
  await page.getByRole("radio", { name: "Bytes" }).click();
  const dump = page.getByRole("region", { name: "Bytes" });
  await dump.waitFor();
  expect(await dump.innerText()).toMatch(/^000000\s+7b 22 6a 73 6f 6e 72 70/m);
  const ascii = await dump.locator(".s mark").allInnerTexts();
  expect(ascii.join("")).toBe("../../../etc/shadow");
  await page.keyboard.press("v");
  await page.getByRole("radio", { name: "Revealed", checked: true }).waitFor();
});

test.each([
  ["JSON Lines, everything", "jsonl"],
  ["CSV, one line per Exchange", "csv"],
  ["SARIF, one result per Finding", "sarif"],
])("Export as %s takes the filter with it", async (label, format) => {
  const page = await go("/traffic?verdict=block&app=cursor");
  await page.getByRole("button", { name: "Export what is listed" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: label }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`portcullis-2026-11-22.${format}`);
  const asked = new URLSearchParams(readFileSync(await download.path(), "utf8").trim());
  expect(Object.fromEntries(asked)).toEqual({ format, verdict: "block", app: "cursor" });
});

test("the report of an Alert stands on one printed page", async () => {
  const page = await go(`/alerts#ex_${on.fixture.world.rows[8]?.id}`);
  await page.getByRole("link", { name: "Report" }).click();
  await page.getByRole("heading", { name: "Incident report" }).waitFor();
  await page.locator(".paper mark").first().waitFor();
  await page.emulateMedia({ media: "print" });
  expect(await page.locator(".side").isVisible()).toBe(false);
  expect(await page.getByRole("button", { name: "Print or save as PDF" }).isVisible()).toBe(false);
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
  expect(pdf.match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
});

describe("the first run", () => {
  test("is where a new installation begins; nothing is written before the button", async () => {
    await on.fixture.stop();
    on.fixture = await new Fixture(emptyWorld()).start();
    const page = await go("/", { fresh: true });
    await page
      .getByRole("heading", { name: "Portcullis stands between your AI apps and their MCP servers" })
      .waitFor();
    await page.getByRole("button", { name: "Look at my apps" }).click();
    await page.getByRole("heading", { name: /apps? uses? MCP servers/ }).waitFor();
    await page.getByRole("button", { name: "Show changes" }).first().click();
    await page.locator(".diff .a").first().waitFor();
    const writes = () => on.fixture.world.writes.filter((one) => one.path.endsWith("/apply"));
    expect(writes()).toEqual([]);
    const protect = page.getByRole("button", { name: /^Protect \d apps?$/ });
    const apps = Number((await protect.innerText()).replace(/\D/g, ""));
    await page.getByRole("checkbox").first().uncheck();
    if (apps > 1) {
      await page.getByRole("button", { name: new RegExp(`^Protect ${apps - 1} apps?$`) }).click();
      await page.getByRole("heading", { name: "Restart your apps" }).waitFor();
      expect(writes()).toHaveLength(apps - 1);
      await page.getByRole("button", { name: "Next" }).click();
    } else await page.goto(`${on.fixture.address}/welcome?step=attack`);
    await page.getByRole("heading", { name: "Try an attack" }).waitFor();
    await page.getByRole("button", { name: "Finish" }).click();
    await page.getByRole("heading", { name: "Nothing has come through yet" }).waitFor();
  });
  test("can be left, is not forced again, and opens from Settings", async () => {
    await on.fixture.stop();
    on.fixture = await new Fixture(emptyWorld()).start();
    const page = await go("/", { fresh: true });
    await page.getByRole("button", { name: "Not now" }).click();
    await page.getByRole("heading", { name: "Nothing has come through yet" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Nothing has come through yet" }).waitFor();
    await page.goto(`${on.fixture.address}/settings`);
    await page.getByRole("link", { name: "Open the first run again" }).click();
    await page.getByRole("heading", { name: /^Portcullis stands between/ }).waitFor();
    expect(on.fixture.world.writes).toEqual([]);
  });
});

describe("the keyboard", () => {
  test.each([
    ["o", "/"],
    ["a", "/alerts"],
    ["t", "/traffic"],
    ["p", "/apps"],
    ["s", "/signatures"],
    ["d", "/decisions"],
    [",", "/settings"],
    ["q", "/ask"],
  ])("g %s goes to %s", async (key, path) => {
    const page = await go(path === "/" ? "/traffic" : "/");
    await page.locator("h1").first().waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await until(() => new URL(page.url()).pathname === path, `${path} is open`);
  });
  test.each([
    ["/", "a.al, tbody a"],
    ["/apps", "[role=switch]"],
    ["/decisions", ".decision"],
  ])("j and k move in %s", async (path, selector) => {
    const page = await go(path);
    await page.locator(selector).nth(2).waitFor();
    const at = () =>
      page.evaluate(
        (s) =>
          [...document.querySelectorAll(`.main ${s.split(", ").join(", .main ")}`)].indexOf(
            document.activeElement as Element,
          ),
        selector,
      );
    await page.keyboard.press("j");
    await expect.poll(at).toBe(0);
    await page.keyboard.press("j");
    await expect.poll(at).toBe(1);
    await page.keyboard.press("k");
    await expect.poll(at).toBe(0);
    await page.keyboard.press("End");
    await expect.poll(at).toBe((await page.locator(selector).count()) - 1);
  });
  test.each(["/alerts", "/traffic", "/signatures", "/decisions"])(
    "/ goes to the search of %s",
    async (path) => {
      const page = await go(path);
      await page.locator("h1").first().waitFor();
      const input = page.locator(".field input").first();
      await input.waitFor();
      await page.keyboard.press("/");
      expect(await input.evaluate((one) => one === document.activeElement)).toBe(true);
    },
  );
  test("e makes an exception, p opens the report", async () => {
    const row = on.fixture.world.rows[4];
    if (row) row.verdict = "ask";
    const page = await go(`/alerts#ex_${row?.id}`);
    await page.getByRole("button", { name: "Make an exception…" }).waitFor();
    await page.keyboard.press("e");
    await page.getByRole("dialog", { name: "Make an exception" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("p");
    await page.getByRole("heading", { name: "Incident report" }).waitFor();
  });
});

test.each([
  ["/alerts", "Search Alerts", "invisible", "get_page"],
  ["/signatures", "Find a Signature", "metadata", "cloud-metadata-host"],
])("the search of %s is in its address", async (path, label, words, found) => {
  const page = await go(path);
  await page.getByLabel(label).fill(words);
  await until(() => page.url().includes(`q=${words}`), "the address has it");
  await page.reload();
  await page.getByText(found).first().waitFor();
  expect(await page.getByLabel(label).inputValue()).toBe(words);
});
