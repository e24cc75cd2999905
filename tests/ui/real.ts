// The real engine for browser tests: one that is already running (PORTCULLIS_DASHBOARD, PORTCULLIS_PAIR_CODE), else one
// of our own in a temporary HOME with a Cursor config in it, on free loopback ports.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

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
