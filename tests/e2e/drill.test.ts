// The drill runs the real installed path and leaves the person's configs alone.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { World } from "./support/world.ts";

interface DrillRow {
  attack: string;
  transport: string;
  caught: boolean;
}

let world: World;

beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.close());

async function drill() {
  const rows: DrillRow[] = JSON.parse(await world.done("drill", "--json"));
  expect(rows.filter((row) => !row.caught)).toEqual([]);
  const transports = new Set(rows.map((row) => row.transport));
  expect([...transports].sort()).toEqual(["sse", "stdio", "streamable_http"]);
  const attacks = new Set(rows.map((row) => row.attack));
  expect(attacks.size).toBeGreaterThanOrEqual(6);
  expect(rows.length).toBe(attacks.size * transports.size);
  expect(readFileSync(world.cursorFile, "utf8")).toBe(world.cursorText);
  expect(readFileSync(world.claudeFile, "utf8")).toBe(world.claudeText);
}

test("every attack is caught on every transport, without a daemon", drill);

test("and with one, which shows the rows under the app `drill`", async () => {
  await world.serve();
  await drill();
  const rows = JSON.parse(
    await world.done("log", "--json", "--app", "drill", "--verdict", "block", "-n", "200"),
  );
  expect(rows.length).toBeGreaterThan(10);
  // Reviewed as what they are: found among the rest, and nothing waits for the person.
  expect(rows.filter((row: { reviewed: boolean }) => !row.reviewed)).toEqual([]);
  expect(JSON.parse(await world.done("status", "--json")).open_alerts).toBe(0);
});
