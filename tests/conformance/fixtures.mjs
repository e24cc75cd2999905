// The servers the suites are run against: each starts on a port of loopback and serves `/mcp`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY, start } from "./guard.mjs";

const FOLDER = join(import.meta.dirname, "fixtures");

/** The virtual environment that the e2e tests use too (tests/e2e/support/python.ts makes the same one). */
export function python() {
  const sdk = "mcp==2.3.0";
  const venv = join(REPOSITORY, "tests/out/.venv");
  const done = join(venv, `installed-${sdk}`);
  const program = join(venv, "bin/python");
  if (existsSync(done)) return program;
  mkdirSync(join(REPOSITORY, "tests/out"), { recursive: true });
  for (const command of [
    ["python3", "-m", "venv", "--clear", venv],
    [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", sdk],
  ]) {
    if (spawnSync(command[0], command.slice(1), { stdio: "inherit" }).status !== 0) throw new Error(`${command.join(" ")} failed`);
  }
  writeFileSync(done, "");
  return program;
}

export const FIXTURES = {
  typescript: (port) => start(process.execPath, [join(FOLDER, "typescript.mjs"), String(port)], { ready: /listening/ }),
  python: (port) => start(python(), [join(FOLDER, "python.py"), String(port)], { ready: /running on/ }),
};
