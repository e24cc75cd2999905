// What every test against the fixture needs: one Chromium for the file, a fresh fixture for each test, pages that are
// closed again, and nothing that a page complained about left unsaid.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { launch, type Opened, open } from "./browser";
import { Fixture, TOKEN } from "./fixture/server";
import { fullWorld } from "./fixture/worlds";

export type Look = Parameters<typeof open>[3];
export type Stage = { browser: Browser; fixture: Fixture; go(path: string, look?: Look): Promise<Page> };

/** To be called once at the top of a test file. What it returns is filled in before each test. */
export function stage(): Stage {
  const opened: Opened[] = [];
  const here = {
    async go(path: string, look: Look = {}) {
      const one = await open(here.browser, here.fixture.address, path, { token: TOKEN, ...look });
      opened.push(one);
      return one.page;
    },
  } as Stage;
  beforeAll(async () => {
    here.browser = await launch();
  });
  afterAll(() => here.browser.close());
  beforeEach(async () => {
    here.fixture = await new Fixture(fullWorld()).start();
  });
  afterEach(async () => {
    const complaints = opened.flatMap((one) => one.complaints);
    await Promise.all(opened.splice(0).map((one) => one.close()));
    await here.fixture.stop();
    expect(complaints).toEqual([]);
  });
  return here;
}
