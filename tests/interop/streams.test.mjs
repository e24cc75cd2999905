// A thousand streams at once through one daemon: each gets its own events, in bounded memory, although the system grants a
// process as few open files as desktops do; and all of it is given back.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { protect } from "../conformance/guard.mjs";

const STREAMS = 1000;
const MOST_MIB = 200;
const event = (text) => `data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params: { data: text } })}\n\n`;

const open = new Map();
let server;
let guard;

before(async () => {
  server = createServer((asked, answer) => {
    const name = asked.headers["x-name"];
    answer.writeHead(200, { "content-type": "text/event-stream" });
    answer.write(event(`welcome ${name}`));
    open.set(name, answer.on("close", () => open.delete(name)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/mcp`;
  // The usual soft limit; the hard one is far above it.
  guard = await protect({ s: { url } }, { wrap: (command) => ["sh", "-c", 'ulimit -Sn 1024 && exec "$@"', "sh", ...command] });
});
after(async () => {
  await guard?.close();
  server?.closeAllConnections();
  server?.close();
});

const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
const get = (name) =>
  new Promise((resolve, reject) => {
    const headers = { accept: "text/event-stream", "x-name": name };
    request(guard.entries.s.url, { agent, headers }, resolve).on("error", reject).end();
  });

/** Reads one event. */
function next(response) {
  return new Promise((resolve, reject) => {
    let text = "";
    const hear = (part) => {
      text += part;
      if (!text.endsWith("\n\n")) return;
      response.off("data", hear);
      resolve(text);
    };
    response.setEncoding("utf8").on("data", hear).on("error", reject);
    response.on("end", () => reject(new Error(`${response.statusCode} ${text}`)));
  });
}

const rssMib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${guard.pid}/status`, "utf8"))[1]) / 1024;

test("a thousand streams at once get their own events and are given back", { skip: process.platform === "win32" }, async (context) => {
  const names = Array.from({ length: STREAMS }, (_, n) => `app${n}`);
  const responses = await Promise.all(names.map(get));
  const welcomes = await Promise.all(responses.map(next));
  assert.deepEqual(welcomes, names.map((name) => event(`welcome ${name}`)));
  const later = Promise.all(responses.map(next));
  for (const [name, answer] of open) answer.write(event(`later ${name}`));
  assert.deepEqual(await later, names.map((name) => event(`later ${name}`)));
  if (existsSync("/proc/self/status")) {
    context.diagnostic(`${rssMib().toFixed(0)} MiB with ${STREAMS} streams, ${readdirSync(`/proc/${guard.pid}/fd`).length} open files`);
    assert.ok(rssMib() < MOST_MIB, `${rssMib()} MiB`);
  }
  for (const response of responses) response.on("error", () => undefined).destroy();
  while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const again = await get("again");
  assert.equal(await next(again), event("welcome again"));
  again.destroy();
});
