// A server over TLS and HTTP/2: trusted as the system trusts it, and told apart when it is not; the state that apps,
// dashboard and command line see follows what really happens.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PORTCULLIS } from "./support/places.ts";
import { start } from "./support/processes.ts";
import { World } from "./support/world.ts";

let world: World;
const versions: string[] = [];
const BROKEN = {
  command: process.execPath,
  args: [
    "-e",
    "console.error(\"Error: Cannot find module 'pg'\\n\\n    at \\u001b[31mrequire (x.js:1)\"); process.exit(1)",
  ],
};
const CALL = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });

beforeAll(async () => {
  world = await World.create();
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(world.root, name)) as [string, string];
  const added = ["subjectAltName=DNS:localhost", "basicConstraints=critical,CA:FALSE"];
  const subject = ["-subj", "/CN=localhost", ...added.flatMap((extension) => ["-addext", extension])];
  const how = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  execFileSync("openssl", [...how, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
  const server = createSecureServer(
    { key: readFileSync(key), cert: readFileSync(cert), allowHTTP1: true },
    (request, response) => {
      versions.push(request.httpVersion);
      response.setHeader("content-type", "application/json");
      response.end('{"jsonrpc":"2.0","id":1,"result":{}}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  world.afterwards(async () => {
    server.close();
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}/mcp`;
  writeFileSync(world.cursorFile, JSON.stringify({ mcpServers: { secure: { url }, broken: BROKEN } }));
  await world.serve();
  await world.done("protect", "cursor", "--yes");
});
afterAll(() => world?.close());

async function called(): Promise<{ status: number; body: { result?: object; error?: { message: string } } }> {
  const answer = await fetch(world.protectedEntry("secure").url ?? "", {
    method: "POST",
    headers: { accept: "application/json, text/event-stream", "content-type": "application/json" },
    body: CALL,
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

async function observed(name = "secure"): Promise<{ state: string; reason?: string; since?: number }> {
  const apps = JSON.parse(await world.done("apps", "--json"));
  const cursor = apps.find((app: { id: string }) => app.id === "cursor");
  const servers = cursor.files.flatMap((file: { servers: { name: string }[] }) => file.servers);
  return servers.find((server: { name: string }) => server.name === name).observed;
}

test("a certificate that the system does not trust is an error under the request's id, and a state", async () => {
  const before = Date.now();
  const { status, body } = await called();
  expect([status, body.error?.message]).toEqual([200, expect.stringContaining("certificate")]);
  expect(versions).toEqual([]);
  const now = await observed();
  expect(now).toMatchObject({ state: "failing", reason: expect.stringContaining("certificate") });
  expect(now.since).toBeGreaterThanOrEqual(before);
  expect(await world.done("apps")).toMatch(/failing since .*certificate/);
});

test("a process that ends unasked is a state too, with the last lines that it said", async () => {
  const { command, args } = world.protectedEntry("broken");
  // Its stdin stays open: the app did not hang up.
  const shim = spawn(command ?? "", args ?? [], { env: world.env, stdio: ["pipe", "ignore", "pipe"] });
  const [said, code] = await Promise.all([
    new Response(Readable.toWeb(shim.stderr) as ReadableStream).text(),
    new Promise((resolve) => shim.on("exit", resolve)),
  ]);
  expect([said, code]).toEqual(["Error: Cannot find module 'pg'\n\n    at \u001b[31mrequire (x.js:1)\n", 1]);
  const reason = "server exits with code 1: Error: Cannot find module 'pg'\n    at  [31mrequire (x.js:1)";
  expect(await observed("broken")).toMatchObject({ state: "failing", reason });
  expect(await world.done("apps")).toContain("Cannot find module 'pg' |     at  [31mrequire");
});

test("which servers fail outlives the daemon; with the system's trust store it works, over HTTP/2", async () => {
  const before = await Promise.all([observed(), observed("broken")]);
  await world.daemon?.end();
  const env = { ...world.env, SSL_CERT_FILE: join(world.root, "cert.pem") };
  world.daemon = start(PORTCULLIS, ["serve", "--once"], { env, cwd: world.root });
  await world.daemon.says(/Pairing code: /);
  expect(before.map(({ state }) => state)).toEqual(["failing", "failing"]);
  expect(await Promise.all([observed(), observed("broken")])).toEqual(before);
  expect(await called()).toMatchObject({ status: 200, body: { result: {} } });
  expect(versions).toEqual(["2.0"]);
  expect((await observed()).state).toBe("seen");
});
