// The differentials on three stacks: Express with the TypeScript SDK 1.x, the TypeScript SDK 2.x and the Python SDK.
import assert from "node:assert/strict";
import { join } from "node:path";
import { FIXTURES } from "../conformance/fixtures.mjs";
import { start } from "../conformance/guard.mjs";
import { hostileTextNeverRuns } from "./differentials.mjs";

const servers = {
  express: (port) => start(process.execPath, [join(import.meta.dirname, "express.mjs"), `${port}`], { ready: /listening/ }),
  typescript: FIXTURES.typescript(),
  python: FIXTURES.python(),
};

hostileTextNeverRuns(servers, (executed) => {
  assert.ok(executed.express.includes("gzip") && executed.express.includes("a byte order mark"), "Express reads odd bodies");
  assert.ok(executed.python.includes("the same method twice"), "Python takes the last of two methods");
  for (const [name, vectors] of Object.entries(executed)) assert.ok(vectors.length >= 10, `${name}: only ${vectors.length}`);
});
