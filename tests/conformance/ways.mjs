// Ways to put the suites, which speak HTTP, before what does not: a bridge to a stdio server, and a step between an app
// under test and the suite's own server.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { freePort, protect, start } from "./guard.mjs";

/** A bridge of its own process before the stdio server of a config entry. */
export async function bridge(entry, env) {
  const port = await freePort();
  const args = [join(import.meta.dirname, "bridge.mjs"), `${port}`, entry.command, ...entry.args];
  const running = await start(process.execPath, args, { ready: /listening/, env: { ...env, ...entry.env } });
  return { url: `http://127.0.0.1:${port}/mcp`, end: running.end };
}

/** The suite's word for an app: it adds the address of its server. */
export function through(way, command) {
  const words = [process.execPath, import.meta.filename, way, ...command];
  return words.map((word) => `"${word}"`).join(" ");
}

/** `ways.mjs direct|proxied <app> … <url>`: the app with that address, or with ours for it. */
async function runApp([way, program, ...rest]) {
  const url = rest.pop();
  const guard = way === "proxied" ? await protect({ scenario: { url } }) : undefined;
  try {
    const app = spawn(program, [...rest, guard?.entries.scenario.url ?? url], { stdio: "inherit" });
    return await new Promise((resolve, reject) => app.on("exit", (code) => resolve(code ?? 1)).on("error", reject));
  } finally {
    await guard?.close();
  }
}

if (process.argv[1] === import.meta.filename) process.exitCode = await runApp(process.argv.slice(2));
