// The real engine for browser tests: one that is already running (PORTCULLIS_DASHBOARD, PORTCULLIS_PAIR_CODE), else one
// of our own in a temporary HOME with a Cursor config in it, on free loopback ports. And what every test against a real
// engine needs: a browser that is paired with it, pages that are closed again, its API, an SDK client in Cursor's place.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { AskList, Preview } from "../../ui/src/types";
import { isTold, launch, type Opened, onePage, open, until } from "./browser";

/** Comments and odd spacing, as people have them. */
export const CURSOR_CONFIG = `{
  // my servers
  "mcpServers": {
    "notes":   { "command": "node", "args": ["notes.js", "--dir", "~/notes"] }, // keep
    "docs": {
      "url": "http://127.0.0.1:9/mcp"
    }
  }
}
`;

export type Own = { home: string; configPath: string; config(): string; stop(): Promise<void> };
export type Real = { address: string; code: string; own: Own | null };
type Reached = { address: string; code: string; own: { stop(): Promise<void> } | null };
export type RealStage<R extends Reached> = {
  browser: Browser;
  real: R;
  token: string;
  go(path: string, look?: Parameters<typeof open>[3]): Promise<Page>;
  /** The one page of the file that is only looked at; what it showed before is gone. */
  look(path: string, look?: Parameters<ReturnType<typeof onePage>>[1]): Promise<Page>;
  /** A page at which a question would be seen: until then a doubtful call is denied at once. */
  watching(path?: string): Promise<Page>;
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
};

/** To be called once at the top of a test file. What it returns is filled in before the first test. */
export function realStage<R extends Reached>(begin: () => Promise<R>): RealStage<R> {
  const opened: Opened[] = [];
  let seen: ReturnType<typeof onePage> | undefined;
  const here = {
    async look(path, look) {
      seen ??= onePage(here.browser, here.real.address, here.token);
      const one = await seen(path, look);
      opened.push(one);
      return one.page;
    },
    async go(path, look = {}) {
      const one = await open(here.browser, here.real.address, path, { token: here.token, ...look });
      opened.push(one);
      return one.page;
    },
    async watching(path = "/ask") {
      const page = await here.go(path);
      // Another page of the test may be what attends.
      const attended = async () => isTold(page) && (await here.api<AskList>("GET", "/api/asks")).attended;
      await until(attended, "somebody could see a question");
      return page;
    },
    async api<T>(method: string, path: string, body?: unknown) {
      const answer = await fetch(`${here.real.address}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${here.token}`,
          Origin: here.real.address,
          "Content-Type": "application/json",
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
      return JSON.parse(text) as T;
    },
  } as RealStage<R>;
  beforeAll(async () => {
    [here.browser, here.real] = await Promise.all([launch(), begin()]);
    // A code works once: the token it gives is kept for the pages of all tests.
    const { address, code } = here.real;
    const { page, complaints, close } = await open(here.browser, address, `/#pair=${code}`);
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
    await until(() => page.url() === `${address}/`, "the code has left the address");
    here.token = (await page.evaluate(() => localStorage.getItem("portcullis.token"))) ?? "";
    expect(here.token).not.toBe("");
    expect(complaints).toEqual([]);
    await close();
  }, 120_000);
  afterEach(async () => {
    const complaints = opened.flatMap((one) => one.complaints);
    await Promise.all(opened.splice(0).map((one) => one.close()));
    expect(complaints).toEqual([]);
  });
  afterAll(async () => {
    await here.browser?.close();
    await here.real?.own?.stop();
  });
  return here;
}

/** Writes the protection of Cursor's config, as the dashboard does. */
export async function protectCursor({ api }: Pick<RealStage<Real>, "api">) {
  const preview = await api<Preview>("POST", "/api/apps/cursor/preview", {
    action: "protect",
    servers: null,
  });
  await api("POST", "/api/apps/cursor/apply", { token: preview.token });
}

/** Starts what Cursor would start for this server now, and speaks to it as Cursor does. */
export async function connectAsCursor({ own }: Real, name: string): Promise<Client> {
  if (own === null) throw new Error("only an engine of our own has a config to read");
  type Entry = { command: string; args: string[] };
  const { mcpServers } = JSON.parse(own.config()) as { mcpServers: Record<string, Entry> };
  const entry = mcpServers[name];
  if (entry === undefined) throw new Error(`there is no server ${name}`);
  const env = { PATH: process.env.PATH ?? "", HOME: own.home, PORTCULLIS_HOME: join(own.home, "state") };
  const client = new Client({ name: "cursor", version: "1" });
  await client.connect(new StdioClientTransport({ ...entry, env, stderr: "ignore" }));
  return client;
}

export async function startReal(): Promise<Real> {
  const { PORTCULLIS_DASHBOARD: address, PORTCULLIS_PAIR_CODE: code } = process.env;
  if (address && code) return { address: address.replace(/\/$/, ""), code, own: null };
  return startOwn();
}

function binary(): string {
  const root = join(import.meta.dirname, "../..");
  const path = join(process.env.PORTCULLIS_BIN_DIR ?? join(root, "target/start"), "portcullis");
  try {
    accessSync(path);
  } catch {
    throw new Error(`${path} is not built: run \`cargo build --profile start --workspace --bins\` first`);
  }
  return path;
}

type Start = {
  /** May put something into the state folder before the engine starts. */
  prepare?: (state: string) => void;
  cursor?: string;
};

export async function startOwn({ prepare, cursor = CURSOR_CONFIG }: Start = {}): Promise<Real> {
  const home = mkdtempSync(join(tmpdir(), "portcullis-ui-"));
  prepare?.(join(home, "state"));
  const configPath = join(home, ".cursor/mcp.json");
  mkdirSync(join(home, ".cursor"));
  writeFileSync(configPath, cursor);
  const env = { PATH: process.env.PATH, HOME: home, PORTCULLIS_HOME: join(home, "state"), RUST_LOG: "warn" };
  const child = spawn(binary(), ["serve", "--once", "--proxy-port", "0", "--dashboard-port", "0"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaints = "";
  child.stderr.on("data", (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  const said = await announced(child).catch((cause: unknown) => {
    throw new Error(`${String(cause)}\n${complaints}`);
  });
  const own: Own = {
    home,
    configPath,
    config: () => readFileSync(configPath, "utf8"),
    async stop() {
      await ended(child);
      rmSync(home, { recursive: true, force: true });
    },
  };
  return { ...said, own };
}

/** Reads what `serve` prints until the dashboard's address and the code are known. */
async function announced(child: ChildProcess): Promise<{ address: string; code: string }> {
  if (!child.stdout) throw new Error("no output to read");
  let address: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    address ??= /^Dashboard: (http:\/\/\S+)/.exec(line)?.[1];
    const code = /^Pairing code: (\S+)/.exec(line)?.[1];
    if (address && code) return { address, code };
  }
  throw new Error("the engine ended before it said where its dashboard is");
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
