// `npm run conformance`: the official suites against our fixtures, direct and through Portcullis, compared check by check.
// Exit code 0 means that not one check came out differently.
//
//   npm run conformance                         every fixture, every leg
//   npm run conformance -- --quick              the required sets with the first fixture (part of `npm test`)
//   npm run conformance -- --fixture python --leg 2026-07-28
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FIXTURES } from "./fixtures.mjs";
import { freePort, protect } from "./guard.mjs";
import { install, NODE, PACKAGES } from "./packages.mjs";

const SUITE = join(PACKAGES, "@modelcontextprotocol/conformance/dist/index.js");
const STABLE = join(PACKAGES, "conformance-stable/dist/index.js");

/** What is run, by name. The stable suite knows no versions after 2025-11-25. */
const LEGS = {
  "required 2025-11-25": [SUITE, "--requirements", "2025-11-25"],
  "required 2026-07-28": [SUITE, "--requirements", "2026-07-28"],
  "all 2025-06-18": [SUITE, "--suite", "all", "--spec-version", "2025-06-18"],
  "all 2025-11-25": [SUITE, "--suite", "all", "--spec-version", "2025-11-25"],
  "all 2026-07-28": [SUITE, "--suite", "all", "--spec-version", "2026-07-28"],
  "stable suite": [STABLE, "--suite", "active"],
};

/** Runs one leg against `url`. Every check of every scenario: `<scenario> <check> <n>` -> status. */
async function checks(url, [suite, ...args], folder) {
  const child = spawn(NODE, [suite, "server", "--url", url, ...args, "-o", folder], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (output += part));
  // The suite says with its exit code whether the fixture passed; here only the comparison counts.
  await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
  const found = new Map();
  for (const scenario of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const name = scenario.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, "");
    for (const check of JSON.parse(readFileSync(join(folder, scenario, "checks.json"), "utf8"))) {
      // What was merely observed is no check.
      if (check.status === "INFO") continue;
      let n = 1;
      while (found.has(`${name} ${check.id} ${n}`)) n++;
      found.set(`${name} ${check.id} ${n}`, { status: check.status, why: check.errorMessage ?? "" });
    }
  }
  if (found.size === 0) throw new Error(`the suite reported nothing for ${url}:\n${output.slice(-2000)}`);
  return found;
}

function differences(direct, proxied) {
  const keys = [...new Set([...direct.keys(), ...proxied.keys()])];
  return keys.flatMap((key) => {
    const [one, other] = [direct.get(key), proxied.get(key)];
    if (one?.status === other?.status) return [];
    return [`${key}: direct ${one?.status ?? "absent"}, through Portcullis ${other?.status ?? "absent"} ${other?.why ?? one?.why ?? ""}`];
  });
}

const count = (found, status) => [...found.values()].filter((check) => check.status === status).length;

async function compare(name, legs) {
  const port = await freePort();
  const direct = `http://127.0.0.1:${port}/mcp`;
  const fixture = await FIXTURES[name](port);
  const out = mkdtempSync(join(tmpdir(), "pconf-out-"));
  let guard;
  let broken = 0;
  try {
    guard = await protect({ fixture: { url: direct } });
    for (const leg of legs) {
      const one = await checks(direct, LEGS[leg], join(out, `${leg}-direct`));
      const other = await checks(guard.entries.fixture.url, LEGS[leg], join(out, `${leg}-proxied`));
      const found = differences(one, other);
      broken += found.length;
      const tally = (of) => `${count(of, "SUCCESS")}/${count(of, "FAILURE")}`.padStart(8);
      console.log(`${name.padEnd(12)}${leg.padEnd(22)}${tally(one)}${tally(other)}${String(found.length).padStart(13)}`);
      for (const line of found) console.log(`    ${line}`);
    }
  } finally {
    await guard?.close();
    await fixture.end();
    rmSync(out, { recursive: true, force: true });
  }
  return broken;
}

const { values } = parseArgs({
  options: { quick: { type: "boolean" }, fixture: { type: "string", multiple: true }, leg: { type: "string", multiple: true } },
});
install();
const fixtures = values.fixture ?? (values.quick ? Object.keys(FIXTURES).slice(0, 1) : Object.keys(FIXTURES));
const wanted = values.leg ?? (values.quick ? ["required"] : [""]);
const legs = Object.keys(LEGS).filter((leg) => wanted.some((part) => leg.includes(part)));
console.log(`${"fixture".padEnd(12)}${"leg".padEnd(22)}${"direct".padStart(8)}${"proxied".padStart(8)}${"differences".padStart(13)}   (checks passed/failed)`);
let broken = 0;
for (const name of fixtures) broken += await compare(name, legs);
console.log(`${broken} differences`);
process.exitCode = broken === 0 ? 0 : 1;
