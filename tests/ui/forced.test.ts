// Forced colours (Windows' contrast themes): backgrounds and shadows are gone there, so whatever they alone say is lost.
// Each state below is taken from its element, and the picture has to change. FIXTURE: pages with every state at once.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, onePage } from "./browser";
import { mailAsk } from "./fixture/asks";
import { Fixture, TOKEN } from "./fixture/server";
import { fullWorld } from "./fixture/worlds";
import { picture, settled } from "./look";

let browser: Browser;
let fixture: Fixture;
let open: ReturnType<typeof onePage>;
beforeAll(async () => {
  const world = fullWorld();
  const hour = world.stats.buckets.at(-3);
  if (hour) hour.asked = 2;
  [browser, fixture] = await Promise.all([launch(), new Fixture(world).start()]);
  open = onePage(browser, fixture.address, TOKEN);
});
afterAll(async () => {
  await browser.close();
  await fixture.stop();
});

/** What is said, where, on which element, and which class or attribute says it. */
const STATES: [what: string, path: string, selector: string, state: string][] = [
  ["how severe a Finding is", "/signatures", ".it .sev i.on", ".on"],
  ["a switch that is on", "/settings", ".toggle.on", ".on"],
  ["a switch that is partly on", "/apps", ".toggle.mixed", ".mixed"],
  ["the chosen tab", "/alerts", ".tabs button.on", ".on"],
  ["the chosen one of a few", "/settings", ".seg button.on", ".on"],
  ["the current page", "/", ".nav[aria-current]", "[aria-current]"],
  ["the open row", "/traffic#open", ".vrow[aria-selected=true]", "[aria-selected]"],
  ["the open Alert", "/alerts#open", ".vrow[aria-selected=true]", "[aria-selected]"],
  ["the chosen Signature", "/signatures", ".it.sel", ".sel"],
  ["the open question", "/ask", ".askrow.sel", ".sel"],
  ["blocked in the chart", "/", ".chart i.b", ".b"],
  ["flagged in the chart", "/", ".chart i.fl", ".fl"],
  ["asked in the chart", "/", ".chart i.q", ".q"],
  ["traffic in the chart", "/", ".chart i:not(.b, .fl, .q, .zero)", "i"],
  ["what matched", "/alerts#open", ".message mark", "mark"],
  ["an invisible character", "/alerts#open", ".message .ghost", ".ghost"],
  ["the time that is left", "/ask?window", ".timebar i", "i"],
  ["the button that is meant", "/ask?window", ".btn.solid", ".solid"],
  ["a button that does nothing now", "/report#open", ".btn", "off"],
  ["a change that has a new ability", "/pins?state=all", ".chip.loud", ".loud"],
];

async function go(path: string): Promise<Page> {
  fixture.world.asks = path.startsWith("/ask") ? [mailAsk(Date.now() + 600_000)] : [];
  const { page, complaints } = await open(path.replace("#open", `#ex_${fixture.world.rows[4]?.id}`));
  await page.emulateMedia({ forcedColors: "active" });
  await settled(page);
  expect(complaints).toEqual([]);
  return page;
}

test.each(STATES)("%s can be seen", async (_, path, selector, state) => {
  const page = await go(path);
  const one = page.locator(selector).first();
  await one.waitFor();
  await one.scrollIntoViewIfNeeded();
  const box = await one.boundingBox();
  if (box === null) throw new Error(`${selector} has no box`);
  // A little around it: some states are a line at the edge.
  const clip = { x: box.x - 3, y: box.y - 3, width: box.width + 6, height: box.height + 6 };
  const shot = () => page.screenshot({ clip, animations: "disabled", caret: "hide" });
  const before = await shot();
  await one.evaluate((element, what) => {
    // Weight is no mark by itself: it is the same on both pictures.
    (element as HTMLElement).style.fontWeight = getComputedStyle(element).fontWeight;
    if (what.startsWith(".")) element.classList.remove(what.slice(1));
    else if (what.startsWith("[")) element.removeAttribute(what.slice(1, -1));
    else if (what === "off") element.setAttribute("aria-disabled", "true");
    else if (what === "mark") element.replaceWith(...element.childNodes);
    else (element as HTMLElement).style.visibility = "hidden";
  }, state);
  expect((await shot()).equals(before), `${selector} looks the same without ${state}`).toBe(false);
});

test("the marked row of a list with the keyboard in it", async () => {
  const page = await go("/traffic");
  await page.getByRole("row").nth(5).waitFor();
  await page.locator(".vlist").focus();
  await page.keyboard.press("j");
  const active = page.locator(".vrow.active");
  await active.waitFor();
  const row = page.locator(`.vrow[aria-rowindex="${await active.getAttribute("aria-rowindex")}"]`);
  const before = await row.screenshot();
  await row.evaluate((element) => element.classList.remove("active"));
  expect((await row.screenshot()).equals(before)).toBe(false);
});

test("pictures of every page, to look at", async () => {
  const paths = [
    "/",
    "/alerts#open",
    "/traffic#open",
    "/apps",
    "/signatures",
    "/decisions",
    "/pins?state=all",
  ];
  for (const path of [...paths, "/settings", "/drill", "/ask", "/ask?window", "/report#open", "/welcome"]) {
    const page = await go(path);
    const name = path === "/" ? "overview" : path.slice(1).replaceAll(/[#?=]+/g, "-");
    await picture(page, `forced-${name}`);
    await page.emulateMedia({ colorScheme: "dark" });
    await picture(page, `forced-${name}-dark`);
  }
});
