// The official Python client as a process of its own (tests/e2e/fixtures/client.py).
import { spawn } from "node:child_process";
import { join } from "node:path";
import { python } from "../conformance/fixtures.mjs";
import { REPOSITORY } from "../conformance/guard.mjs";

const LIMIT_MS = 60_000;

/** Runs a program and gives its stdout; anything but success is an error with what it said. */
export function run(command, args, env, input = "") {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    let [out, problems] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (part) => (out += part));
    child.stderr.setEncoding("utf8").on("data", (part) => (problems += part));
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(limit);
      if (code === 0) resolve(out);
      else reject(new Error(problems.trim().split("\n").pop() || `exit code ${code}`));
    });
    child.stdin.on("error", () => undefined).end(input);
  });
}

export async function viaPython(entry, env, mode, steps) {
  const script = join(REPOSITORY, "tests/e2e/fixtures/client.py");
  return JSON.parse(await run(python(), [script], env, JSON.stringify({ entry, mode, steps })));
}
