// The npm packages in `packages/`, where no fixture resolves to them by chance: the suites, peers that need a newer Node, and that Node.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HERE = join(import.meta.dirname, "packages");
export const PACKAGES = join(HERE, "node_modules");
export const NODE = join(PACKAGES, "node/bin/node");

/** Installs what package-lock.json says, once. */
export function install() {
  const done = join(PACKAGES, ".portcullis-installed");
  const wanted = readFileSync(join(HERE, "package-lock.json"), "utf8");
  if (existsSync(done) && readFileSync(done, "utf8") === wanted) return;
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: HERE, stdio: "inherit" });
  if (status !== 0) throw new Error("npm ci in tests/conformance/packages failed");
  writeFileSync(done, wanted);
}
