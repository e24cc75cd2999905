// Looking at a page as a person would: it has come to rest, a picture of it is kept, nothing is wider than its box.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { answered } from "./browser";

export const OUT = join(import.meta.dirname, "../out/ui");
const BOXES =
  "body, .side, .askview, .askbody, .stepmain, .paper, .main, .top, .page, .list, .vlist, .det, .body, .sigdetail, .ls, .cols, .card, td, .opt";

export async function settled(page: Page) {
  await page.locator("h1").first().waitFor();
  await page.waitForLoadState("load");
  await answered(page);
  await page.waitForFunction(() => document.querySelector(".skeleton") === null);
  // The sentence at the foot stands on the last of the first answers.
  await page.waitForFunction(() => !document.body.innerText.includes("Reading the status"));
  // Buttons of a question wake up a moment after it is shown.
  await page.waitForFunction(() => document.querySelector(".askfoot .btn[aria-disabled]") === null);
}

export async function picture(page: Page, file: string) {
  mkdirSync(OUT, { recursive: true });
  await page.screenshot({ path: join(OUT, `${file}.png`) });
}

/** Boxes whose content is wider than they are. */
export const tooWide = (page: Page) =>
  page.evaluate(
    (boxes) =>
      [...document.querySelectorAll<HTMLElement>(boxes)]
        .filter((box) => box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0)
        .map((box) => `${box.className} by ${box.scrollWidth - box.clientWidth} px`),
    BOXES,
  );
