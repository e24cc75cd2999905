// Upstreams on HTTP/2 over TLS, as hosted servers are: streams share a connection, pings are answered, a stream that is given
// up takes no other with it, and a connection that the server retires is replaced. The app speaks HTTP/1.1 to us, as apps do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { constants, createSecureServer } from "node:http2";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { REPOSITORY, protect } from "../conformance/guard.mjs";

const TLS = join(REPOSITORY, "tests/fixtures/tls");
const HOSTILE = "a note\u{E0072}\u{E0075}\u{E006E}";
const call = (id, text = "x") => JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "t", arguments: { text } } });
const result = (id) => `data: ${JSON.stringify({ jsonrpc: "2.0", id, result: { content: [] } })}\n\n`;

/** Connections of Portcullis, and its streams, oldest first. */
const sessions = new Set();
const streams = [];
/** What the server does with a request; the body is read already. */
let serve = (stream, message) => answer(stream, message.id);
let server;
let guard;

function answer(stream, id) {
  stream.respond({ ":status": 200, "content-type": "text/event-stream" });
  stream.end(result(id));
}

before(async () => {
  server = createSecureServer({ cert: readFileSync(join(TLS, "server.pem")), key: readFileSync(join(TLS, "server.key")) });
  server.on("session", (session) => {
    sessions.add(session.on("error", () => undefined));
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", async (stream) => {
    streams.push(stream.on("error", () => undefined));
    let body = "";
    for await (const part of stream.setEncoding("utf8")) body += part;
    serve(stream, body ? JSON.parse(body) : {});
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://localhost:${server.address().port}/mcp`;
  guard = await protect({ s: { url } }, { daemonEnv: { SSL_CERT_FILE: join(TLS, "ca.pem") } });
});
after(async () => {
  await guard?.close();
  for (const session of sessions) session.destroy();
  server?.close();
});

/** The answer of Portcullis, whose body comes as it comes. */
function ask(method, body) {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return new Promise((resolve, reject) => {
    const asked = request(guard.entries.s.url, { method, headers }, resolve).on("error", reject);
    asked.end(body);
  });
}
async function text(response) {
  let all = "";
  for await (const part of response.setEncoding("utf8")) all += part;
  return all;
}
const post = async (body) => text(await ask("POST", body));

test("many calls at once share one connection", async () => {
  assert.equal(await post(call(0)), result(0));
  const waiting = [];
  const used = new Set();
  serve = (stream, message) => {
    waiting.push([stream, message.id]);
    used.add(stream.session);
    // None is answered before all are there.
    if (waiting.length === 50) for (const [each, id] of waiting) answer(each, id);
  };
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => post(call(n))));
  assert.deepEqual(answers, Array.from({ length: 50 }, (_, n) => result(n)));
  assert.equal(used.size, 1);
  serve = (stream, message) => answer(stream, message.id);
});

test("a ping of the server is answered while a stream is open", async () => {
  serve = (stream) => {
    stream.respond({ ":status": 200, "content-type": "text/event-stream" });
    stream.write(": open\n\n");
  };
  const open = await ask("GET");
  await new Promise((resolve, reject) => streams.at(-1).session.ping((error) => (error ? reject(error) : resolve())));
  open.destroy();
  serve = (stream, message) => answer(stream, message.id);
});

test("an app that goes away gives up its stream and no other", async () => {
  serve = (stream) => {
    stream.respond({ ":status": 200, "content-type": "text/event-stream" });
    stream.write(": open\n\n");
  };
  const known = streams.length;
  const one = await ask("GET");
  const other = await ask("GET");
  const [first, second] = streams.slice(known);
  const closed = new Promise((resolve) => first.on("close", resolve));
  one.destroy();
  await closed;
  assert.equal(first.rstCode, constants.NGHTTP2_CANCEL);
  second.end(": still here\n\n");
  assert.equal(await text(other), ": open\n\n: still here\n\n");
  serve = (stream, message) => answer(stream, message.id);
});

test("a connection that the server retires is replaced and nothing is lost", async () => {
  const used = [];
  let finish;
  serve = (stream, message) => {
    used.push(stream.session);
    if (message.id !== 1) return answer(stream, message.id);
    finish = () => answer(stream, message.id);
    return stream.session.goaway(constants.NGHTTP2_NO_ERROR);
  };
  const under = post(call(1));
  while (!finish) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await post(call(2)), result(2), "a new connection while the old one ends");
  finish();
  assert.equal(await under, result(1), "what was under way is answered on the old one");
  assert.notEqual(used[0], used[1]);
});

test("a hostile call is never sent on", async () => {
  const known = streams.length;
  assert.match(await post(call(1, HOSTILE)), /Portcullis did not allow/);
  assert.equal(streams.length, known);
});
