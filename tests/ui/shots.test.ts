// Every page in light and dark, full and empty, wide and narrow: nothing overflows sideways, nothing is complained about
// (script errors, policy violations), and a picture of each is left in tests/out/ui for a person to look at.
// FIXTURE: uses the fixture server, because full, empty and broken states at will need canned answers.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, onePage } from "./browser";
import { mailAsk, pageAsk, visitAsk } from "./fixture/asks";
import { Fixture, TOKEN } from "./fixture/server";
import { emptyWorld, fullWorld, tidyWorld } from "./fixture/worlds";
import { picture, settled, tooWide } from "./look";

const PAGES = [
  "/",
  "/alerts",
  "/traffic",
  "/apps",
  "/signatures",
  "/decisions",
  "/pins?state=all",
  "/settings",
  "/drill",
  "/ask",
  "/welcome",
  "/welcome?step=choose",
];
const name = (path: string) => (path === "/" ? "overview" : path.slice(1).replaceAll(/[#?=]+/g, "-"));

let browser: Browser;
let full: Fixture;
let empty: Fixture;
let asking: Fixture;
/** The page in which a fixture is looked at. */
const pages = new Map<Fixture, ReturnType<typeof onePage>>();
beforeAll(async () => {
  browser = await launch();
  full = await new Fixture(fullWorld()).start();
  empty = await new Fixture(emptyWorld()).start();
  asking = await new Fixture(fullWorld()).start();
});
afterAll(async () => {
  await browser.close();
  await Promise.all([full, empty, asking].map((fixture) => fixture.stop()));
});

async function shot(
  fixture: Fixture,
  path: string,
  file: string,
  look: { width?: number; height?: number; scheme?: "light" | "dark" },
) {
  const open = pages.get(fixture) ?? onePage(browser, fixture.address, TOKEN);
  pages.set(fixture, open);
  const { page, complaints, close } = await open(path, look);
  await settled(page);
  await picture(page, file);
  const wide = await tooWide(page);
  await close();
  expect(complaints).toEqual([]);
  expect(wide, "boxes whose content is wider than they are").toEqual([]);
}

describe.each(["light", "dark"] as const)("in %s", (scheme) => {
  test.each(PAGES)("%s full", (path) => shot(full, path, `${name(path)}-full-${scheme}`, { scheme }));
  test("with an Alert and an Exchange open", async () => {
    const flagged = full.world.rows[4]?.id;
    await shot(full, `/alerts?state=all#ex_${flagged}`, `alert-open-${scheme}`, { scheme });
    await shot(full, `/traffic#ex_${flagged}`, `traffic-open-${scheme}`, { scheme });
    await shot(full, `/alerts#ex_${full.world.rows[1]?.id}`, `alert-hostile-${scheme}`, { scheme });
  });
});
test.each(PAGES)("%s empty", (path) => shot(empty, path, `${name(path)}-empty-light`, {}));
test.each(PAGES)("%s at 800 px", (path) =>
  shot(full, path, `${name(path)}-narrow`, { width: 800, height: 700 }),
);
test.each(PAGES)("%s at 360 px", (path) =>
  shot(full, path, `${name(path)}-phone`, { width: 360, height: 700 }),
);
test("an open Exchange at 800 px", () =>
  shot(full, `/traffic#ex_${full.world.rows[4]?.id}`, "traffic-open-narrow", { width: 800, height: 700 }));
test("the icon rail at 1000 px", () =>
  shot(full, `/traffic#ex_${full.world.rows[4]?.id}`, "traffic-open-rail", { width: 1000 }));

test.each([
  ["askmail", "light"],
  ["askmail", "dark"],
  ["askvisit", "light"],
  ["askvisit", "dark"],
  ["askpage", "light"],
  ["askpage", "dark"],
] as const)("the small window with %s in %s", async (id, scheme) => {
  asking.world.asks = [mailAsk(Date.now()), visitAsk(Date.now()), pageAsk(Date.now())];
  await shot(asking, `/ask?window#ask_${id}`, `window-${id}-${scheme}`, { scheme, width: 420, height: 560 });
  await shot(asking, `/ask#ask_${id}`, `page-${id}-${scheme}`, { scheme });
  if (id !== "askpage") await shot(asking, "/", `overview-${id}-${scheme}`, { scheme });
  await shot(asking, `/report#ex_${asking.world.rows[4]?.id}`, `report-${scheme}`, { scheme, height: 1200 });
});
test("the pictures of the README", async () => {
  const tidy = await new Fixture(tidyWorld()).start();
  await shot(tidy, "/", "readme-overview", { height: 720 });
  const flagged = tidy.world.rows.find((row) => row.signature === "hidden-unicode-tags");
  await shot(tidy, `/alerts?state=all#ex_${flagged?.id}`, "readme-alert", { scheme: "dark", height: 720 });
  await tidy.stop();
});
test("paused, with a problem", async () => {
  const world = fullWorld();
  world.status.protection = { state: "paused", until: Date.now() + 900_000 };
  world.status.problems = [
    "Port 27701 is held by another program. URL servers do not work until it is free.",
  ];
  const paused = await new Fixture(world).start();
  await shot(paused, "/", "overview-paused", {});
  await paused.stop();
});
