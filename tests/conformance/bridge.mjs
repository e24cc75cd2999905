// Streamable HTTP before a stdio server, for the suites, which speak no stdio: the simplest bridge that carries everything
// they ask. A session has a process of its own; all stateless requests share one. Ids are made unique on the way in, because
// one pipe carries what came in many requests. Whatever it gets wrong it gets wrong with and without the shim.
//
//   node bridge.mjs <port> <command> [argument …]
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const [port, command, ...args] = process.argv.slice(2);
const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";
const sessions = new Map();

class Process {
  #asked = new Map();
  #next = 1;
  listener;

  constructor() {
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
    createInterface({ input: this.child.stdout }).on("line", (line) => this.#hear(line));
    this.child.stdin.on("error", () => undefined);
  }

  write(message) {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Sends a request whose answer and whatever belongs to it goes to `response`. */
  ask(message, response) {
    const id = this.#next++;
    this.#asked.set(id, { id: message.id, token: message.params?._meta?.progressToken, response });
    this.write({ ...message, id });
    response.on("close", () => {
      if (!this.#asked.delete(id) || this.session) return;
      this.write({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
    });
  }

  #hear(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      return;
    }
    const asked = message.method === undefined ? this.#asked.get(message.id) : undefined;
    if (asked) {
      this.#asked.delete(message.id);
      const subscription = message.result?._meta?.[SUBSCRIPTION];
      if (subscription !== undefined) message.result._meta[SUBSCRIPTION] = asked.id;
      asked.response.write(event({ ...message, id: asked.id }));
      return asked.response.end();
    }
    this.#place(message)?.write(event(message));
  }

  /** Where a message that answers nothing goes: to its listener, to the call it reports on, else to the newest open one. */
  #place(message) {
    const subscription = message.params?._meta?.[SUBSCRIPTION];
    if (subscription !== undefined) {
      const listening = this.#asked.get(subscription);
      message.params._meta[SUBSCRIPTION] = listening?.id;
      return listening?.response;
    }
    const open = [...this.#asked.values()];
    const token = message.params?.progressToken;
    const reported = token === undefined ? undefined : open.find((asked) => asked.token === token);
    return (reported ?? open.at(-1))?.response ?? this.listener;
  }
}

const event = (message) => `data: ${JSON.stringify(message)}\n\n`;
const stateless = new Process();

async function handle(request, response) {
  const known = sessions.get(request.headers["mcp-session-id"]);
  const say = (status, headers) => response.writeHead(status, headers).end();
  if (request.method === "DELETE") {
    known?.child.stdin.end();
    return say(known ? 200 : 404);
  }
  const stream = { "content-type": "text/event-stream", ...(known && { "mcp-session-id": known.session }) };
  if (request.method === "GET") {
    if (!known) return say(405);
    response.writeHead(200, stream).flushHeaders();
    known.listener = response;
    return undefined;
  }
  const parts = [];
  for await (const part of request) parts.push(part);
  const message = JSON.parse(Buffer.concat(parts).toString("utf8"));
  let process_ = known ?? stateless;
  if (message.method === "initialize") {
    process_ = new Process();
    process_.session = stream["mcp-session-id"] = randomUUID();
    sessions.set(process_.session, process_);
  }
  if (message.method === undefined || message.id === undefined) {
    process_.write(message);
    return say(202);
  }
  response.writeHead(200, stream).flushHeaders();
  return process_.ask(message, response);
}

createServer((request, response) => {
  handle(request, response).catch((error) => response.headersSent || response.writeHead(400).end(error.message));
}).listen(Number(port), "127.0.0.1", () => process.stderr.write("listening\n"));

process.on("SIGTERM", () => {
  for (const { child } of [stateless, ...sessions.values()]) child.stdin.end();
  process.exit(0);
});
