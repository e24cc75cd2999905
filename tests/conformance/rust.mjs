// The peer on the Rust SDK (fixtures/rmcp), compiled when it is first wanted: its packages take minutes, so only the whole
// runs have it. Its artifacts lie beside the product's, which never builds it.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { REPOSITORY } from "./guard.mjs";

const FOLDER = join(import.meta.dirname, "fixtures/rmcp");
const TARGET = process.env.CARGO_TARGET_DIR ?? join(REPOSITORY, "target");
let built;

/** The program, built. */
export function rust() {
  if (built) return built;
  const args = ["build", "--locked", "--quiet", "--manifest-path", join(FOLDER, "Cargo.toml"), "--target-dir", TARGET];
  const { status } = spawnSync("cargo", args, { stdio: "inherit" });
  if (status !== 0) throw new Error("tests/conformance/fixtures/rmcp could not be built");
  built = join(TARGET, `debug/rmcp-peer${process.platform === "win32" ? ".exe" : ""}`);
  return built;
}
