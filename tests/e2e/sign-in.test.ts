// A server behind OAuth: Portcullis signs in, the app sees no 401 and needs no OAuth of its own. The authorization server
// and the resource server are the official SDK's.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OAuthClientProvider, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { OAuthClientInformationFull, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, connect } from "./support/client.ts";
import { Person } from "./support/person.ts";
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
  const [own] = await freePorts(1);
  const lenient = start(process.execPath, [GUARDED, String(own), "lenient"], {
    env: world.env,
    cwd: world.root,
  });
  world.afterwards(() => lenient.end());
  await lenient.says(/listening/);
  const mcpServers = { guarded: { url: `${origin}/mcp` }, own: { url: `http://127.0.0.1:${own}/mcp` } };
  writeFileSync(world.cursorFile, JSON.stringify({ mcpServers }));
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

const note = (text: string) => called("note", { text });
async function called(tool: string, args: Record<string, unknown>): Promise<string> {
  const client = await connect(entry(), world);
  try {
    return JSON.stringify(await call(client, tool, args));
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

test("a call that needs wider rights is refused, and the person is told which", async () => {
  await expect(called("erase", {})).rejects.toThrow(/wider rights/);
  expect(await note("narrow as before")).toContain("noted");
  const [asked] = JSON.parse(await world.done("sign-in", "--json"));
  expect(asked).toMatchObject({ needed: true, wider: true, scope: "notes erase" });
  expect(await world.done("sign-in")).toContain("asks for wider rights: notes erase");
  expect((await signIn()).status).toBe(200);
  expect(await called("erase", {})).toContain("erased");
  const [done] = JSON.parse(await world.done("sign-in", "--json"));
  expect(done).toMatchObject({ needed: false, scope: "notes erase" });
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

test("where it is set so, the app signs in itself and its token passes", async () => {
  const url = new URL(world.protectedEntry("own").url ?? "");
  const id = /~([a-z2-7]{26})\//.exec(url.pathname)?.[1];
  const person = await Person.of(world);
  const set = (on: boolean) => person.api<string[]>("PUT", `/api/sign-ins/${id}/own`, { on });
  expect(await set(true)).toEqual([id]);
  const app = new OwnSignIn();
  const connectOwn = async () => {
    const client = new Client({ name: "own", version: "1.0.0" });
    const transport = new StreamableHTTPClientTransport(url, { authProvider: app });
    world.afterwards(() => client.close());
    return { client, transport, connected: client.connect(transport) };
  };
  const first = await connectOwn();
  await expect(first.connected).rejects.toThrow(UnauthorizedError);
  const back = (await fetch(app.consent, { redirect: "manual" })).headers.get("location") ?? "";
  await first.transport.finishAuth(new URL(back).searchParams.get("code") ?? "");
  const second = await connectOwn();
  await second.connected;
  expect((await call(second.client, "note", { text: "mine" })).text).toBe("noted: mine");
  expect(new URL(app.consent).searchParams.get("resource")).toBe(url.href);
  // Each switch is in force at once: what leads an app to sign in is there, or it is not.
  const metadata = async () =>
    (await fetch(new URL(`/.well-known/oauth-protected-resource${url.pathname}`, url))).status;
  expect(await metadata()).toBe(200);
  expect(await set(false)).toEqual([]);
  expect(await metadata()).toBe(404);
  await set(true);
  expect(await metadata()).toBe(200);
  const others = new URL(`/.well-known/oauth-protected-resource${new URL(entry().url ?? "").pathname}`, url);
  expect((await fetch(others)).status).toBe(404);
});

/** What the official SDK wants of an app that signs in. */
class OwnSignIn implements OAuthClientProvider {
  consent = "";
  private client?: OAuthClientInformationFull;
  private kept?: OAuthTokens;
  private verifier = "";
  readonly redirectUrl = "http://127.0.0.1:9/callback";
  readonly clientMetadata = { client_name: "own", redirect_uris: [this.redirectUrl] };
  clientInformation = () => this.client;
  saveClientInformation = (client: OAuthClientInformationFull) => {
    this.client = client;
  };
  tokens = () => this.kept;
  saveTokens = (tokens: OAuthTokens) => {
    this.kept = tokens;
  };
  redirectToAuthorization = (to: URL) => {
    this.consent = to.href;
  };
  saveCodeVerifier = (verifier: string) => {
    this.verifier = verifier;
  };
  codeVerifier = () => this.verifier;
}

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
