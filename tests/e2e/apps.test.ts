// Every app that Portcullis writes: its config in its documented notation is protected, read again as the app reads it, and
// the official SDK client works with what it says: the server gets its arguments, environment and headers.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DOCUMENTED, type DocumentedApp, type Remote, type Stdio } from "./support/apps.ts";
import { call, connect } from "./support/client.ts";
import { FIXTURES, PORTCULLIS, REPOSITORY } from "./support/places.ts";
import { until, World } from "./support/world.ts";

let world: World;
let port = 0;

const project = () => join(world.root, "project");
const fileOf = (app: DocumentedApp) => join(app.project ? project() : world.home, app.file);
const stdio = (app: DocumentedApp): Stdio => ({
  command: process.execPath,
  args: [join(FIXTURES, "tiny.mjs"), app.id, "--flag=a b"],
  env: { GREETING: `grüezi ${app.id}` },
});
const remote = (app: DocumentedApp): Remote => ({
  url: `http://127.0.0.1:${port}/${app.id}`,
  headers: { Authorization: `Bearer of-${app.id}` },
});
const textOf = (app: DocumentedApp) => app.write(stdio(app), remote(app));

/** Answers each request with plain JSON; its tool says which path and which credentials arrived. */
const answer = async (request: IncomingMessage) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const { id, method, params } = JSON.parse(Buffer.concat(parts).toString());
  const results: Record<string, unknown> = {
    initialize: {
      protocolVersion: params?.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: "web", version: "1.0.0" },
    },
    "tools/list": {
      tools: [{ name: "how", description: "How it was called.", inputSchema: { type: "object" } }],
    },
    "tools/call": {
      content: [{ type: "text", text: JSON.stringify([request.url, request.headers.authorization]) }],
    },
  };
  return id === undefined ? undefined : { jsonrpc: "2.0", id, result: results[method] };
};

beforeAll(async () => {
  world = await World.bare();
  const server = createServer(async (request, response) => {
    if (request.method !== "POST") return response.writeHead(405).end();
    const said = await answer(request);
    if (said === undefined) return response.writeHead(202).end();
    return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  world.afterwards(async () => {
    server.closeAllConnections();
    server.close();
  });
  port = (server.address() as { port: number }).port;
  for (const app of DOCUMENTED) {
    mkdirSync(dirname(fileOf(app)), { recursive: true });
    writeFileSync(fileOf(app), textOf(app));
  }
  await world.serve();
  await world.done("folders", "add", project());
});
afterAll(() => world?.close());

test("every app that Portcullis can write is here", async () => {
  const apps: { id: string; not_covered?: string }[] = JSON.parse(await world.done("apps", "--json"));
  const writable = apps.filter((app) => !app.not_covered).map((app) => app.id);
  expect(DOCUMENTED.map((app) => app.id).sort()).toEqual(writable.sort());
});

describe.each(DOCUMENTED)("$id", (app) => {
  test("reads what was written, and works with it", async () => {
    expect(app.read(textOf(app))).toEqual({
      stdio: stdio(app),
      ...(app.read(textOf(app)).remote && { remote: remote(app) }),
    });
    await world.done("protect", app.id, "--yes");
    const read = app.read(readFileSync(fileOf(app), "utf8"));
    expect(read.stdio).toMatchObject({
      command: join(world.state, "bin/portcullis-shim"),
      env: stdio(app).env,
    });
    const local = await connect(read.stdio, world);
    const { args, env } = stdio(app);
    expect(JSON.parse((await call(local, "how", {})).text)).toEqual([args.slice(1), env.GREETING]);
    await local.close();
    if (!read.remote) return;
    expect(read.remote.url).toContain(`http://127.0.0.1:${world.proxyPort}/${app.id}/`);
    const web = await connect(read.remote, world);
    expect(JSON.parse((await call(web, "how", {})).text)).toEqual([
      `/${app.id}`,
      remote(app).headers.Authorization,
    ]);
    await web.close();
  });
});

interface Shown {
  id: string;
  files: { servers: { name: string; observed: { state: string } }[] }[];
}

test("all of it was seen", async () => {
  const expected = DOCUMENTED.flatMap((app) =>
    app.read(textOf(app)).remote ? [`${app.id} files seen`, `${app.id} docs seen`] : [`${app.id} files seen`],
  );
  // A part of Goose itself stands among its servers.
  expected.push("goose developer not_covered");
  const shown = async () => {
    const apps: Shown[] = JSON.parse(await world.done("apps", "--json"));
    const servers = apps.flatMap(({ id, files }) =>
      files.flatMap((file) => file.servers.map((s) => `${id} ${s.name} ${s.observed.state}`)),
    );
    return servers.sort();
  };
  // Rows are written in the background.
  await until("the last rows", async () => !(await shown()).join().includes("not_yet_seen") || undefined);
  expect(await shown()).toEqual(expected.sort());
});

// The script of the packages is run with stand-ins for what only root has; the command line is the real one.
test("before a package goes, every byte comes back and the shim stays", () => {
  const bin = join(world.root, "bin");
  mkdirSync(bin);
  symlinkSync(PORTCULLIS, join(bin, "portcullis"));
  const stand = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  // The script finds people by the usual place of their state.
  symlinkSync(world.state, join(world.home, ".portcullis"));
  stand("getent", `echo "eve:x:1000:1000::${world.home}:/bin/sh"`);
  stand("runuser", 'shift 3; exec "$@"');
  const env = { PATH: `${bin}:${process.env.PATH}` };
  const removal = (word: string) =>
    spawnSync("/bin/sh", [join(REPOSITORY, ".config/package/before-removal.sh"), word], {
      env,
      encoding: "utf8",
    });
  const written = DOCUMENTED.map((app) => readFileSync(fileOf(app), "utf8"));
  expect(removal("upgrade")).toMatchObject({ status: 0, stdout: "", stderr: "" });
  expect(DOCUMENTED.map((app) => readFileSync(fileOf(app), "utf8"))).toEqual(written);
  expect(removal("remove")).toMatchObject({ status: 0, stderr: "" });
  for (const app of DOCUMENTED) expect(readFileSync(fileOf(app), "utf8"), app.id).toBe(textOf(app));
  expect(existsSync(join(world.state, "bin/portcullis-shim"))).toBe(true);
});
