// The Python SDK in a virtual environment of its own (`tests/out/.venv`), made once and kept.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./places.ts";

const SDK = "mcp==2.3.0";
const VENV = join(REPOSITORY, "tests/out/.venv");
const DONE = join(VENV, `installed-${SDK}`);

export const PYTHON = join(VENV, "bin/python");

export default function setup() {
  if (existsSync(DONE)) return;
  mkdirSync(join(REPOSITORY, "tests/out"), { recursive: true });
  const run = (command: string, args: string[]) => execFileSync(command, args, { stdio: "inherit" });
  run("python3", ["-m", "venv", "--clear", VENV]);
  run(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", SDK]);
  writeFileSync(DONE, "");
}
