// What the conformance and interop runs start: servers, and Portcullis before them as a person would have it: the entries stand in an
// app's config, `portcullis protect` rewrites it, and the addresses are read back from there.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const REPOSITORY = join(import.meta.dirname, "../..");
export const BIN = process.env.PORTCULLIS_BIN_DIR ?? join(REPOSITORY, "target/start");
const PORTCULLIS = join(BIN, `portcullis${process.platform === "win32" ? ".exe" : ""}`);

/** Starts `command`; resolves once it has printed `ready`. */
export function start(command, args, { ready, env }) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let output = "";
  return new Promise((resolve, reject) => {
    const hear = (part) => {
      output += part;
      const found = ready.exec(output);
      if (!found) return;
      const end = () => {
        child.kill("SIGTERM");
        const limit = setTimeout(() => child.kill("SIGKILL"), 10_000);
        return exited.finally(() => clearTimeout(limit));
      };
      resolve({ output: () => output, end, pid: child.pid });
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", hear);
    child.once("error", reject);
    exited.then((code) => reject(new Error(`${command} ${args.join(" ")} ended with ${code}:\n${output}`)));
  });
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * The daemon with one app whose config names `entries`; `entries` of the result are what the app finds there then. `daemonEnv` is
 * its environment beside the usual, `wrap` the command that starts it where it is not started as it is.
 */
export async function protect(entries, { daemonEnv = {}, wrap = (command) => command } = {}) {
  const root = mkdtempSync(join(tmpdir(), "pconf-"));
  const file = join(root, "home/.cursor/mcp.json");
  const env = { HOME: join(root, "home"), PORTCULLIS_HOME: join(root, "state"), NO_COLOR: "1" };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ mcpServers: entries }));
  const arguments_ = ["serve", "--once", "--proxy-port", "0", "--dashboard-port", "0"];
  const [program, ...rest] = wrap([PORTCULLIS, ...arguments_]);
  const daemon = await start(program, rest, { ready: /Pairing code: /, env: { ...env, ...daemonEnv } });
  const close = async () => {
    await daemon.end();
    rmSync(root, { recursive: true, force: true });
  };
  const done = spawnSync(PORTCULLIS, ["protect", "cursor", "--yes"], { env: { ...process.env, ...env }, encoding: "utf8" });
  if (done.status !== 0) {
    await close();
    throw new Error(`portcullis protect ended with ${done.status}:\n${done.stdout}\n${done.stderr}`);
  }
  return { entries: JSON.parse(readFileSync(file, "utf8")).mcpServers, env, close, end: daemon.end, pid: daemon.pid };
}
