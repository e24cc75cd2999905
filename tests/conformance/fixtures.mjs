// The servers the suites are run against: each starts on a port of loopback and serves `/mcp`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY, start } from "./guard.mjs";
import { rust } from "./rust.mjs";

const FOLDER = join(import.meta.dirname, "fixtures");

/** The virtual environment that the e2e tests use too (tests/e2e/support/python.ts makes the same one). */
export const python = () => environment(".venv", "mcp==2.3.0");

/** A Python with `requirement`, apart from the others: servers bring the version of the SDK that they want. */
export const pythonWith = (requirement) => environment(`.venv-${requirement}`, requirement);

function environment(folder, requirement) {
  const venv = join(REPOSITORY, "tests/out", folder);
  const done = join(venv, `installed-${requirement}`);
  const program = join(venv, "bin/python");
  if (existsSync(done)) return program;
  mkdirSync(join(REPOSITORY, "tests/out"), { recursive: true });
  for (const command of [
    ["python3", "-m", "venv", "--clear", venv],
    [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement],
  ]) {
    if (spawnSync(command[0], command.slice(1), { stdio: "inherit" }).status !== 0) throw new Error(`${command.join(" ")} failed`);
  }
  writeFileSync(done, "");
  return program;
}

/** Each by a port of loopback. Compiling the last takes minutes, so it is made when it is wanted. */
export const FIXTURES = {
  typescript: () => (port) => start(process.execPath, [join(FOLDER, "typescript.mjs"), `${port}`], { ready: /listening/ }),
  python: () => (port) => start(python(), [join(FOLDER, "python.py"), `${port}`], { ready: /running on/ }),
  rmcp: () => (port) => start(rust(), ["serve", `${port}`], { ready: /listening/ }),
};

/** The same servers on stdio, as entries of a config. */
export const STDIO_FIXTURES = {
  typescript: () => ({ command: process.execPath, args: [join(FOLDER, "typescript.mjs"), "stdio"] }),
  python: () => ({ command: python(), args: [join(FOLDER, "python.py"), "stdio"] }),
  rmcp: () => ({ command: rust(), args: ["serve", "stdio"] }),
};

/** Apps for the suite's client mode: a command that takes the address as its last argument. */
export const APPS = {
  typescript: () => [process.execPath, join(FOLDER, "app.mjs")],
  rmcp: () => [rust(), "scenario"],
};
