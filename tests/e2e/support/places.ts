// Where the parts under test are.
import { existsSync } from "node:fs";
import { join } from "node:path";

export const REPOSITORY = join(import.meta.dirname, "../../..");
const BIN = process.env.PORTCULLIS_BIN_DIR ?? join(REPOSITORY, "target/start");
const suffix = process.platform === "win32" ? ".exe" : "";

export const PORTCULLIS = join(BIN, `portcullis${suffix}`);
export const NPM_SERVERS = join(REPOSITORY, "node_modules/@modelcontextprotocol");
export const EVERYTHING = join(NPM_SERVERS, "server-everything/dist/index.js");
export const FILESYSTEM = join(NPM_SERVERS, "server-filesystem/dist/index.js");
export const FIXTURES = join(import.meta.dirname, "../fixtures");
export const LEDGER = join(FIXTURES, "ledger.mjs");
export const GUARDED = join(FIXTURES, "guarded.mjs");
export const LOOPBACK = join(FIXTURES, "loopback.mjs");

for (const file of [PORTCULLIS, join(BIN, `portcullis-shim${suffix}`)]) {
  if (!existsSync(file)) {
    throw new Error(`${file} is missing: run \`cargo build --profile start --bins\`, or \`npm test -- e2e\``);
  }
}
