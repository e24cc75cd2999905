// A server behind OAuth: Portcullis signs in, the app sees no 401 and needs no OAuth of its own. The authorization server
// and the resource server are the official SDK's.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, connect } from "./support/client.ts";
import { GUARDED } from "./support/places.ts";
import { start } from "./support/processes.ts";
import { freePorts, World } from "./support/world.ts";

let world: World;
let origin: string;

beforeAll(async () => {
  world = await World.create();
  const [port] = await freePorts(1);
  origin = `http://127.0.0.1:${port}`;
  const server = start(process.execPath, [GUARDED, String(port)], { env: world.env, cwd: world.root });
  world.afterwards(() => server.end());
  await server.says(/listening/);
  writeFileSync(world.cursorFile, JSON.stringify({ mcpServers: { guarded: { url: `${origin}/mcp` } } }));
  await world.serve();
  await world.done("protect", "cursor", "--yes");
});
afterAll(() => world?.close());

interface Told {
  registered: number;
  refreshed: number;
  issued: string[];
  resources: string[];
}
const told = async (): Promise<Told> => (await fetch(`${origin}/test`)).json();
const entry = () => world.protectedEntry("guarded");

async function note(text: string): Promise<string> {
  const client = await connect(entry(), world);
  try {
    return JSON.stringify(await call(client, "note", { text }));
  } finally {
    await client.close();
  }
}

/** As a browser would: there, through the consent, and back. */
async function signIn(): Promise<Response> {
  const { url } = JSON.parse(await world.done("sign-in", "guarded", "--no-wait", "--json"));
  return fetch(url);
}

test("without a sign-in the app is told what to do, and sees no 401", async () => {
  await expect(note("too early")).rejects.toThrow(/portcullis sign-in/);
  const [asked] = JSON.parse(await world.done("sign-in", "--json"));
  expect(asked).toMatchObject({ name: "guarded", app: "cursor", needed: true });
});

test("after it the server works, with tokens for itself alone", async () => {
  const page = await signIn();
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("You are signed in");
  expect(await note("hello")).toContain("noted: hello");
  expect((await told()).resources).toEqual([`${origin}/mcp`]);
  expect(await world.done("sign-in")).toContain("signed in at");
});

test("the page that ends a sign-in works once", async () => {
  const { url } = JSON.parse(await world.done("sign-in", "guarded", "--no-wait", "--json"));
  const consent = await fetch(url, { redirect: "manual" });
  const back = consent.headers.get("location") ?? "";
  expect((await fetch(back)).status).toBe(200);
  const again = await fetch(back);
  expect(again.status).toBe(400);
  expect(await again.text()).toContain("not known");
  const forged = await fetch(`${world.dashboard}/oauth/callback?state=guessed&code=%3Cb%3Ex`);
  expect(forged.status).toBe(400);
});

test("a token that has ended is renewed without anybody noticing", async () => {
  const before = (await told()).refreshed;
  await fetch(`${origin}/test/revoke-access`, { method: "POST" });
  const answers = await Promise.all([note("one"), note("two"), note("three")]);
  expect(answers.every((answer) => answer.includes("noted"))).toBe(true);
  expect((await told()).refreshed - before).toBe(1);
});

test("a sign-in survives a restart", async () => {
  await world.daemon?.end();
  await world.serve();
  expect(await note("after the restart")).toContain("noted");
});

test("an app that brings its own token is left alone", async () => {
  const answer = await fetch(entry().url ?? "", {
    method: "POST",
    headers: {
      authorization: "Bearer mine",
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toContain("resource_metadata");
});

test("when nothing can be renewed the person signs in again, as the same client", async () => {
  await fetch(`${origin}/test/revoke-all`, { method: "POST" });
  await expect(note("gone")).rejects.toThrow(/portcullis sign-in/);
  expect((await signIn()).status).toBe(200);
  expect(await note("back")).toContain("noted");
  expect((await told()).registered).toBe(1);
});

test("signing out forgets the tokens", async () => {
  await world.done("sign-out", "guarded");
  await expect(note("out")).rejects.toThrow(/portcullis sign-in/);
});

test("no token is readable in anything that Portcullis wrote", async () => {
  const { issued } = await told();
  expect(issued.length).toBeGreaterThan(4);
  const files = (readdirSync(world.state, { recursive: true }) as string[]).map((name) =>
    join(world.state, name),
  );
  for (const file of files.filter((name) => statSync(name).isFile())) {
    const text = readFileSync(file, "latin1");
    for (const token of issued) expect(text.includes(token), file).toBe(false);
  }
  for (const token of issued) expect(world.daemon?.output()).not.toContain(token);
});
