// The differentials on the Rust SDK, apart from the others: compiling that server takes minutes (`npm run interop:rust`).
import assert from "node:assert/strict";
import { FIXTURES } from "../conformance/fixtures.mjs";
import { hostileTextNeverRuns } from "./differentials.mjs";

hostileTextNeverRuns({ rmcp: FIXTURES.rmcp() }, ({ rmcp }) => assert.ok(rmcp.length >= 10, `only ${rmcp.length}`));
