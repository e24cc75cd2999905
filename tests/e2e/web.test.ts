// Attacks of a web page on the loopback ports: rebound names, foreign origins, guessed ids, the API without a token.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { World } from "./support/world.ts";

let world: World;
let path: string;

beforeAll(async () => {
  world = await World.create();
  await world.serve();
  await world.done("protect", "cursor", "--yes");
  path = new URL(world.protectedEntry("ledger-http").url ?? "").pathname;
});
afterAll(() => world?.close());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
}

function ask(
  port: number,
  target: string,
  headers: Record<string, string>,
  method = "POST",
): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
  const all = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: target, method, headers: all }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    asked.on("error", reject);
    asked.end(method === "POST" ? body : undefined);
  });
}

describe("the proxy", () => {
  test.each(["POST", "GET", "OPTIONS", "DELETE"])(
    "%s with a foreign Host or Origin is refused",
    async (method) => {
      const port = world.proxyPort;
      const foreign: Record<string, string>[] = [
        { host: `rebound.example:${port}` },
        { host: "127.0.0.1" },
        { host: `127.0.0.1:${port}`, origin: "https://evil.example" },
        { host: `127.0.0.1:${port}`, origin: "null" },
        { host: `127.0.0.1:${port}`, origin: new URL(world.dashboard).origin },
      ];
      for (const headers of foreign) {
        const { status, headers: answered } = await ask(port, path, headers, method);
        expect([headers, status]).toEqual([headers, 403]);
        expect(answered["access-control-allow-origin"]).toBeUndefined();
      }
    },
  );

  test("unknown ids, other apps and other paths are not found", async () => {
    const id = /~([a-z2-7]{26})/.exec(path)?.[1] ?? "";
    const port = world.proxyPort;
    for (const target of [
      path.replace(id, "a".repeat(26)),
      path.replace(id, ""),
      path.replace("/cursor/", "/claude-desktop/"),
      path.replace("/mcp", "/other"),
      "/",
      "/api/status",
    ]) {
      expect([target, (await ask(port, target, { host: `127.0.0.1:${port}` })).status]).toEqual([
        target,
        404,
      ]);
    }
  });

  test("the right address works", async () => {
    expect((await ask(world.proxyPort, path, { host: `127.0.0.1:${world.proxyPort}` })).status).not.toBe(403);
  });
});

describe("the dashboard", () => {
  const get = (target: string, init?: RequestInit) => fetch(`${world.dashboard}${target}`, init);

  test.each(["/api/status", "/api/apps", "/api/exchanges", "/api/events", "/api/settings"])(
    "%s wants a token",
    async (target) => {
      expect((await get(target)).status).toBe(401);
      expect((await get(target, { headers: { authorization: "Bearer guessed" } })).status).toBe(401);
    },
  );

  test("acts want one too", async () => {
    expect((await get("/api/pause", { method: "POST", body: "{}" })).status).toBe(401);
    const wrong = await get("/api/pair", {
      method: "POST",
      body: '{"code":"AAAAA-AAAAA"}',
      headers: { "content-type": "application/json" },
    });
    expect(wrong.status).toBeGreaterThanOrEqual(400);
  });

  test("a foreign Host or Origin is refused", async () => {
    const port = Number(new URL(world.dashboard).port);
    expect((await ask(port, "/", { host: `rebound.example:${port}` }, "GET")).status).toBe(403);
    expect(
      (await ask(port, "/api/status", { host: `127.0.0.1:${port}`, origin: "https://evil.example" }, "GET"))
        .status,
    ).toBe(403);
  });

  test("a code pairs once", async () => {
    const { code } = JSON.parse(await world.done("pair", "--json"));
    const pair = () =>
      get("/api/pair", {
        method: "POST",
        body: JSON.stringify({ code }),
        headers: { "content-type": "application/json" },
      });
    const { token } = (await (await pair()).json()) as { token: string };
    expect((await get("/api/status", { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await pair()).status).toBeGreaterThanOrEqual(400);
  });
});

test.runIf(process.platform === "linux")("nothing listens beyond loopback", () => {
  const pid = world.daemon?.child.pid;
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]).filter(Boolean));
  const listening = ["tcp", "tcp6"].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && inodes.has(fields[9]))
      .map((fields) => fields[1]?.split(":")[0]),
  );
  expect(listening.length).toBeGreaterThanOrEqual(2);
  expect(
    listening.every((address) => address === "0100007F" || address === "00000000000000000000000001000000"),
  ).toBe(true);
});
