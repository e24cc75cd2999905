// `npm run soak -- [--kills N]`: a real app talks to a real server through the shim while its daemon is killed in the middle
// of calls, stays away, comes back, and is replaced as by an upgrade (the old one ends in order, the new one starts). Every
// call is answered with its own answer, and the server ran each once.
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { BIN, protect, start } from "../conformance/guard.mjs";

const { values } = parseArgs({ options: { kills: { type: "string", default: "30" } } });
const kills = Number(values.kills);
const SERVER = join(import.meta.dirname, "counting.mjs");
// Once: the shim is not to start one itself, each end and each start is one of ours.
const SERVE = [join(BIN, "portcullis"), "serve", "--once", "--proxy-port", "0", "--dashboard-port", "0"];

const guard = await protect({ s: { command: process.execPath, args: [SERVER] } });
const entry = guard.entries.s;
const client = new Client({ name: "soak", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command: entry.command, args: entry.args, env: { ...process.env, ...guard.env }, stderr: "ignore" }));

let over = false;
let calls = 0;
async function talk(lane) {
  for (let n = 0; !over; n++) {
    const word = `${lane}-${n}`;
    const { content, isError } = await client.callTool({ name: "once", arguments: { word } });
    assert.deepEqual([content[0].text, isError ?? false], [`${word} ran once`, false]);
    calls++;
  }
}
const lanes = Promise.all(Array.from({ length: 8 }, (_, lane) => talk(lane)));
lanes.catch(() => undefined);

/** Waits until the app had `more` answers, so that each phase sees calls. */
async function until(more) {
  const wanted = calls + more;
  while (calls < wanted) await Promise.race([lanes, new Promise((resolve) => setTimeout(resolve, 2))]);
}

/** Killed, and gone: until then it holds the lock that the next one needs. */
function kill({ pid, end }) {
  process.kill(pid, "SIGKILL");
  return end();
}

let daemon = guard;
try {
  for (let n = 0; n < kills; n++) {
    await until(20 + ((n * 37) % 150));
    if (n % 3 === 2) await daemon.end();
    else await kill(daemon);
    await until(20 + ((n * 53) % 80));
    daemon = await start(SERVE[0], SERVE.slice(1), { ready: /Pairing code: /, env: guard.env });
    // The shim looks for a daemon at most once a second.
    await new Promise((resolve) => setTimeout(resolve, 1100));
  }
  over = true;
  await lanes;
  const tally = await client.callTool({ name: "tally" });
  assert.equal(tally.content[0].text, `${calls} words, ${calls} runs`);
  console.log(`${calls} calls over ${kills} ends of the daemon: each answered, each run once`);
} finally {
  await client.close();
  await daemon.end();
  await guard.close();
}
