// Official clients that are programs of their own: what they are told on stdin and what they saw.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { python } from "../conformance/fixtures.mjs";
import { REPOSITORY } from "../conformance/guard.mjs";
import { rust } from "../conformance/rust.mjs";

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

/** `steps` as tests/e2e/fixtures/client.py describes them. */
const steps = (command, args) => async (entry, env, mode, steps) =>
  JSON.parse(await run(command(), args, env, JSON.stringify({ entry, mode, steps })));

export const viaPython = steps(python, [join(REPOSITORY, "tests/e2e/fixtures/client.py")]);
export const viaRust = steps(rust, ["steps"]);
