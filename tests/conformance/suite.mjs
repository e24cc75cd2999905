// The official suites as programs: what each leg runs, and what came out, check by check.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NODE, PACKAGES } from "./packages.mjs";

const SUITE = join(PACKAGES, "@modelcontextprotocol/conformance/dist/index.js");
const STABLE = join(PACKAGES, "conformance-stable/dist/index.js");

/** The suite as app. The stable one knows no versions after 2025-11-25. */
export const SERVER_LEGS = {
  "required 2025-11-25": [SUITE, "--requirements", "2025-11-25"],
  "required 2026-07-28": [SUITE, "--requirements", "2026-07-28"],
  "all 2025-06-18": [SUITE, "--suite", "all", "--spec-version", "2025-06-18"],
  "all 2025-11-25": [SUITE, "--suite", "all", "--spec-version", "2025-11-25"],
  "all 2026-07-28": [SUITE, "--suite", "all", "--spec-version", "2026-07-28"],
  "stable, all": [STABLE, "--suite", "all"],
};

/** The suite as server: what its scenarios outside of sign-in look at, by version. */
export const CLIENT_LEGS = {
  "app 2025-11-25": ["initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"],
  "app 2026-07-28": [
    "tools_call",
    "request-metadata",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
    "json-schema-2020-12-preservation",
    "sep-2322-client-request-state",
  ],
};

/** Runs the suite. Every check of every scenario: `<scenario> <check> <n>` -> how it went. */
async function checks([suite, ...args], env) {
  const folder = mkdtempSync(join(tmpdir(), "pconf-out-"));
  try {
    const child = spawn(NODE, [suite, ...args, "-o", folder], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (output += part));
    // The suite says with its exit code whether the peer passed; here only the comparison counts.
    await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
    const found = new Map();
    for (const file of readdirSync(folder, { recursive: true }).sort()) {
      if (!file.endsWith("checks.json")) continue;
      const name = file.replace(/-\d{4}-\d\d-\d\dT.*$/, "").replace(/^server-/, "");
      for (const check of JSON.parse(readFileSync(join(folder, file), "utf8"))) {
        // What was merely observed is no check.
        if (check.status === "INFO") continue;
        let n = 1;
        while (found.has(`${name} ${check.id} ${n}`)) n++;
        found.set(`${name} ${check.id} ${n}`, { status: check.status, why: check.errorMessage ?? "" });
      }
    }
    if (found.size === 0) throw new Error(`the suite reported nothing for ${args.join(" ")}:\n${output.slice(-2000)}`);
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The suite as app of the server at `url`. */
export const ofServer = (url, leg) => checks([SERVER_LEGS[leg][0], "server", "--url", url, ...SERVER_LEGS[leg].slice(1)]);

/** The suite as server of the app that `command` starts with an address as its last argument; one scenario after the other. */
export async function ofApp(command, leg) {
  const all = new Map();
  for (const scenario of CLIENT_LEGS[leg]) {
    const args = ["client", "--command", command, "--scenario", scenario, "--spec-version", leg.replace("app ", "")];
    for (const [key, check] of await checks([SUITE, ...args])) all.set(key, check);
  }
  return all;
}

export function differences(direct, proxied) {
  const keys = [...new Set([...direct.keys(), ...proxied.keys()])];
  return keys.flatMap((key) => {
    const [one, other] = [direct.get(key), proxied.get(key)];
    if (one?.status === other?.status) return [];
    return [`${key}: direct ${one?.status ?? "absent"}, through Portcullis ${other?.status ?? "absent"} ${other?.why ?? one?.why ?? ""}`];
  });
}

export const count = (found, status) => [...found.values()].filter((check) => check.status === status).length;
