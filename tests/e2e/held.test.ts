// Calls that wait for a person, made by the official SDK clients over every transport: allowed, denied, nobody answered,
// taken back, hung up, and the daemon killed while they wait. What the server really ran stands in its ledger: a call that
// was not allowed is never there, however it ended.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, connectModern, type Entry } from "./support/client.ts";
import { Person } from "./support/person.ts";
import { FIXTURES } from "./support/places.ts";
import { PYTHON } from "./support/python.ts";
import { World } from "./support/world.ts";

let world: World;
let person: Person;

beforeAll(async () => {
  world = await World.create();
  await world.serve();
  await world.done("protect", "cursor", "--yes");
  person = await Person.of(world);
  await person.waits(280);
});
afterAll(() => world?.close());

type Result = { isError?: boolean; content?: { text?: string }[]; error?: string };
interface Peer {
  call(path: string, signal?: AbortSignal): Promise<Result>;
  /** Goes without a word. */
  hangUp(): Promise<void>;
}
type Make = () => Promise<Peer>;

const doubtful = (path: string) => ({ name: "read_file", arguments: { path } });
const entry = (name: string): Entry => world.protectedEntry(name);

async function legacy(name: string): Promise<Peer> {
  const client = await connect(entry(name), world);
  return {
    call: (path, signal) =>
      client.callTool(doubtful(path), undefined, signal ? { signal } : {}) as Promise<Result>,
    hangUp: () => client.close(),
  };
}

async function modern(): Promise<Peer> {
  const client = await connectModern(entry("ledger-modern"), world);
  return {
    call: (path, signal) => client.callTool(doubtful(path), signal ? { signal } : {}) as Promise<Result>,
    hangUp: () => client.close(),
  };
}

/** To take a call back is a read timeout there; to hang up is to die. */
async function python(name: string): Promise<Peer> {
  const child = spawn(PYTHON, [join(FIXTURES, "held.py")], { env: world.env });
  world.afterwards(async () => void child.kill("SIGKILL"));
  child.stdin.write(`${JSON.stringify({ entry: entry(name) })}\n`);
  const waiting = new Map<number, { resolve: (result: Result) => void; reject: (error: Error) => void }>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { n, result, error } = JSON.parse(line) as { n: number; result?: Result; error?: string };
    waiting.get(n)?.resolve(result ?? { error: error ?? "" });
    waiting.delete(n);
  });
  child.on("exit", () => {
    for (const one of waiting.values()) one.reject(new Error("the client is gone"));
  });
  let calls = 0;
  return {
    call: (path, signal) =>
      new Promise((resolve, reject) => {
        const n = ++calls;
        waiting.set(n, { resolve, reject });
        const { name: call, arguments: args } = doubtful(path);
        child.stdin.write(
          `${JSON.stringify({ n, call, arguments: args, ...(signal ? { seconds: 2 } : {}) })}\n`,
        );
      }),
    async hangUp() {
      child.kill("SIGKILL");
    },
  };
}

const PEERS: [string, Make][] = [
  ["TypeScript 1.x, stdio", () => legacy("ledger")],
  ["TypeScript 1.x, SSE", () => legacy("ledger-sse")],
  ["TypeScript 1.x, streamable HTTP", () => legacy("ledger-http")],
  ["TypeScript 2.x, 2026-07-28", modern],
  ["Python, stdio", () => python("ledger")],
  ["Python, SSE", () => python("ledger-sse")],
  ["Python, streamable HTTP", () => python("ledger-http")],
];

/** A path of its own for each call, so that no question joins another one. */
const secret = (peer: string, what: string) => `/home/someone/${peer.replaceAll(/\W+/g, "-")}/${what}/.env`;
const ran = (path: string) => world.ledger().filter((line) => line.args.path === path).length;
const textOf = (result: Result) => (result.content ?? []).map((part) => part.text ?? "").join("\n");

describe.concurrent.each(PEERS)("%s", (name, make) => {
  const path = (what: string) => secret(name, what);

  test("allowed, denied, taken back, hung up", async () => {
    const peer = await make();
    const allowed = peer.call(path("allowed"));
    await person.answer(await person.asked(path("allowed")), { kind: "allow_once" });
    expect(await allowed).toMatchObject({ content: [{ text: `content of ${path("allowed")}` }] });
    expect(ran(path("allowed"))).toBe(1);

    const denied = peer.call(path("denied"));
    const no = await person.asked(path("denied"));
    expect(ran(path("denied"))).toBe(0);
    await person.answer(no, { kind: "deny" });
    expect(await denied).toMatchObject({ isError: true });
    expect(textOf(await denied)).toContain("Portcullis");

    const stop = new AbortController();
    const taken = peer
      .call(path("taken back"), stop.signal)
      .catch((error: unknown) => ({ error: String(error) }));
    await person.wasAsked(path("taken back"));
    stop.abort();
    expect((await taken).error).toBeTruthy();
    const third = await person.over(path("taken back"));
    expect(["cancelled", "disconnected"]).toContain(third.state);
    await expect(person.answer(third, { kind: "allow_once" })).rejects.toThrow("ask_void");

    const hung = peer.call(path("hung up")).catch(() => undefined);
    const fourth = await person.asked(path("hung up"));
    await peer.hangUp();
    await hung;
    expect((await person.over(path("hung up"))).state).toBe("disconnected");
    await expect(person.answer(fourth, { kind: "allow_once" })).rejects.toThrow("ask_void");
    expect(["denied", "taken back", "hung up"].map((what) => ran(path(what)))).toEqual([0, 0, 0]);
  });
});

test("nobody answers: denied in time for every client, and a later yes counts for one retry", async () => {
  await person.waits(5);
  const late = async ([name, make]: [string, Make]) => {
    const peer = await make();
    const path = secret(name, "late");
    const first = await peer.call(path);
    expect([name, first.isError, textOf(first)]).toEqual([name, true, expect.stringContaining("in time")]);
    expect(await person.answer(await person.over(path), { kind: "allow_once" })).toMatchObject({
      late: true,
    });
    expect(ran(path)).toBe(0);
    expect(textOf(await peer.call(path))).toBe(`content of ${path}`);
    expect(ran(path)).toBe(1);
    await peer.hangUp();
  };
  await Promise.all(PEERS.map(late));
  await person.waits(280);
});

test("the daemon is killed while calls wait: none of them runs, then or later, and a retry asks anew", async () => {
  const clients: [string, Peer, Promise<Result>][] = await Promise.all(
    PEERS.map(async ([name, make]): Promise<[string, Peer, Promise<Result>]> => {
      const peer = await make();
      const call = peer.call(secret(name, "killed")).catch((error: unknown) => ({ error: String(error) }));
      await person.asked(secret(name, "killed"));
      return [name, peer, call];
    }),
  );
  await world.daemon?.end("SIGKILL");
  for (const [name, , call] of clients.filter(([name]) => name.includes("stdio"))) {
    // The shim answers by itself, and says that nobody could be asked.
    const result = await call;
    expect([name, result.isError, textOf(result)]).toEqual([
      name,
      true,
      expect.stringContaining("Portcullis"),
    ]);
  }
  await world.serve();
  await person.watch();
  expect((await person.asks()).waiting.map((ask) => ask.message)).toEqual([]);
  const [, stdio] = clients[0] as [string, Peer, Promise<Result>];
  const again = stdio.call(secret("TypeScript 1.x, stdio", "killed"));
  await person.answer(await person.asked(secret("TypeScript 1.x, stdio", "killed")), { kind: "deny" });
  expect((await again).isError).toBe(true);
  for (const [name, peer] of clients) {
    await peer.hangUp().catch(() => undefined);
    expect([name, ran(secret(name, "killed"))]).toEqual([name, 0]);
  }
  expect(await person.decisions()).toEqual([]);
});
