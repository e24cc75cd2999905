// Parser differentials: bodies that JSON readers, HTTP stacks and MCP servers understand differently. Each is tried on real
// servers in three stacks, direct and through Portcullis, with a call whose text a bundled Signature blocks. Whatever a
// server makes of the body: when the text is hostile, the call must not run behind Portcullis. The same body with harmless
// text, sent directly, shows which servers would have run it, so that the test is known to have teeth.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { freePort, protect } from "../conformance/guard.mjs";

const HARMLESS = "a harmless note";
/** "run" in invisible tag characters. */
const HOSTILE = "a note\u{E0072}\u{E0075}\u{E006E}";

const quote = JSON.stringify;
const args = (mark, text) => `{"mark":${quote(mark)},"text":${text}}`;
const params = (mark, text) => `{"name":"note","arguments":${args(mark, text)}}`;
const call = (mark, text, id = "7") => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params(mark, text)}}`;
const utf16 = (text) => Buffer.from(`\ufeff${text}`, "utf16le");
const escaped = (text) => quote(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** `body(mark, text)`: the bytes; `headers`: beside the usual ones. */
const VECTORS = {
  "as everybody writes it": { body: (m, t) => call(m, quote(t)) },
  "text in escapes": { body: (m, t) => call(m, escaped(t)) },
  "the same method twice": {
    body: (m, t) => `{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call","params":${params(m, quote(t))}}`,
  },
  "the same method twice, once in escapes": {
    body: (m, t) => `{"jsonrpc":"2.0","id":7,"method":"ping","m\\u0065thod":"tools/call","params":${params(m, quote(t))}}`,
  },
  "the same params twice, the hostile last": {
    body: (m, t) => `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params(m, '"x"')},"params":${params(m, quote(t))}}`,
  },
  "the same params twice, the hostile first": {
    body: (m, t) => `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params(m, quote(t))},"params":${params(m, '"x"')}}`,
    harmlessReader: true,
  },
  "the same arguments twice": {
    body: (m, t) =>
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"note","arguments":${args(m, '"x"')},"arguments":${args(m, quote(t))}}}`,
  },
  "the same name twice": {
    body: (m, t) =>
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"other","name":"note","arguments":${args(m, quote(t))}}}`,
  },
  "the same argument twice": { body: (m, t) => call(m, `"x","text":${quote(t)}`) },
  "a byte order mark": { body: (m, t) => `\ufeff${call(m, quote(t))}` },
  "UTF-16": { body: (m, t) => utf16(call(m, quote(t))), headers: { "content-type": "application/json; charset=utf-16" } },
  "UTF-16 that says nothing": { body: (m, t) => utf16(call(m, quote(t))) },
  "invalid UTF-8 in the text": {
    body: (m, t) => Buffer.concat([Buffer.from(call(m, quote(`${t}@`)).split("@")[0]), Buffer.from([0xff]), Buffer.from('"}}}')]),
  },
  "an overlong character": {
    body: (m, t) => Buffer.concat([Buffer.from(call(m, quote(`${t}@`)).split("@")[0]), Buffer.from([0xc0, 0xaf]), Buffer.from('"}}}')]),
  },
  "half a surrogate pair": { body: (m, t) => call(m, `"\\ud800${escaped(t).slice(1)}`) },
  "a batch of one": { body: (m, t) => `[${call(m, quote(t))}]` },
  "a batch in a batch": { body: (m, t) => `[[${call(m, quote(t))}]]` },
  "a method and a result": { body: (m, t) => call(m, quote(t)).replace('"id":7', '"id":7,"result":{}') },
  "a method and an error": { body: (m, t) => call(m, quote(t)).replace('"id":7', '"id":7,"error":{"code":1,"message":"x"}') },
  "id 1.0": { body: (m, t) => call(m, quote(t), "1.0") },
  "id null": { body: (m, t) => call(m, quote(t), "null") },
  "an object as id": { body: (m, t) => call(m, quote(t), '{"a":1}') },
  "an id of 23 digits": { body: (m, t) => call(m, quote(t), "12345678901234567890123") },
  "text 100 levels deep": { body: (m, t) => call(m, `${"[".repeat(100)}${quote(t)}${"]".repeat(100)}`) },
  "text 500 levels deep": { body: (m, t) => call(m, `${"[".repeat(500)}${quote(t)}${"]".repeat(500)}`) },
  "NaN beside it": { body: (m, t) => call(m, `${quote(t)},"n":NaN`) },
  "1e400 beside it": { body: (m, t) => call(m, `${quote(t)},"n":1e400`) },
  "text as a key": { body: (m, t) => call(m, `{${quote(t)}:1}`) },
  "text below __proto__": { body: (m, t) => call(m, `{"__proto__":{"x":${quote(t)}}}`) },
  "other members in capitals": { body: (m, t) => call(m, quote(t)).replace('"id"', '"Method":"ping","ID":1,"id"') },
  "gzip": { body: (m, t) => gzipSync(call(m, quote(t))), headers: { "content-encoding": "gzip" } },
  "gzip in two members": {
    body: (m, t) => Buffer.concat([gzipSync(call(m, quote(t)).slice(0, 30)), gzipSync(call(m, quote(t)).slice(30))]),
    headers: { "content-encoding": "gzip" },
  },
  "deflate": { body: (m, t) => deflateSync(call(m, quote(t))), headers: { "content-encoding": "deflate" } },
  "raw deflate": { body: (m, t) => deflateRawSync(call(m, quote(t))), headers: { "content-encoding": "deflate" } },
  "brotli": { body: (m, t) => brotliCompressSync(call(m, quote(t))), headers: { "content-encoding": "br" } },
  "gzip, twice": { body: (m, t) => gzipSync(gzipSync(call(m, quote(t)))), headers: { "content-encoding": "gzip, gzip" } },
  "bytes after the end": { body: (m, t) => `{"jsonrpc":"2.0","id":1,"method":"ping"}\n${call(m, quote(t))}` },
  "a comment": { body: (m, t) => `/* x */${call(m, quote(t))}` },
  "a comma too many": { body: (m, t) => call(m, `${quote(t)},`) },
  "a raw control character": { body: (m, t) => call(m, `"\u0001${t}"`) },
  "NUL after the end": { body: (m, t) => `${call(m, quote(t))}\0` },
  "white space that JSON does not know": { body: (m, t) => `\v\u00a0${call(m, quote(t))}` },
  "single quotes": { body: (m, t) => call(m, quote(t)).replaceAll('"', "'") },
  "a header that names a harmless method": { body: (m, t) => call(m, quote(t)), headers: { "mcp-method": "ping", "mcp-name": "other" } },
  "a method override": { body: (m, t) => call(m, quote(t)), headers: { "x-http-method-override": "GET" } },
  "two content types": { body: (m, t) => call(m, quote(t)), headers: { "content-type": "application/json, text/plain" } },
};

function post(url, headers, body) {
  const { hostname, port, pathname } = new URL(url);
  const all = { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18", ...headers };
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path: pathname, method: "POST", headers: all }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

async function session(url) {
  const hello = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "differentials", version: "1" } };
  const answer = await post(url, {}, quote({ jsonrpc: "2.0", id: 1, method: "initialize", params: hello }));
  assert.equal(answer.status, 200, answer.text);
  const id = answer.headers["mcp-session-id"];
  await post(url, { "mcp-session-id": id }, '{"jsonrpc":"2.0","method":"notifications/initialized"}');
  return (headers, body) => post(url, { "mcp-session-id": id, ...headers }, body);
}

/** `servers`: each by a port of loopback. `teeth(executed)`: what is known of how they read, so that the vectors bite. */
export function hostileTextNeverRuns(servers, teeth) {
  let guard;
  const running = {};
  const directly = {};
  const throughUs = {};

  before(async () => {
    const entries = {};
    for (const [name, serve] of Object.entries(servers)) {
      const port = await freePort();
      running[name] = await serve(port);
      entries[name] = { url: `http://127.0.0.1:${port}/mcp` };
    }
    guard = await protect(entries);
    for (const name of Object.keys(servers)) {
      directly[name] = await session(entries[name].url);
      throughUs[name] = await session(guard.entries[name].url);
    }
  });
  after(async () => {
    await guard?.close();
    for (const server of Object.values(running)) await server.end();
  });

  /** Vectors that a server would have run, by server. */
  const executed = Object.fromEntries(Object.keys(servers).map((name) => [name, []]));

  describe("hostile text never runs, however it is wrapped", () => {
    for (const [vector, { body, headers = {}, harmlessReader }] of Object.entries(VECTORS)) {
      test(vector, async () => {
        for (const [n, name] of Object.keys(servers).entries()) {
          const mark = `m${n}-${Object.keys(VECTORS).indexOf(vector)}`;
          const ran = (answer, suffix) => answer.text.includes(`noted ${mark}${suffix}`);
          const direct = await directly[name](headers, body(`${mark}d`, HARMLESS));
          if (ran(direct, "d")) executed[name].push(vector);
          const hostile = await throughUs[name](headers, body(`${mark}h`, HOSTILE));
          assert.equal(ran(hostile, "h"), false, `${name} ran it behind Portcullis: ${hostile.text}`);
          // A refusal says why; nothing hangs and nothing is a bare status.
          if (ran(direct, "d") && !harmlessReader) assert.match(hostile.text, /Portcullis/, `${name}: ${hostile.status}`);
          // What is not odd at all still works afterwards, in the same session.
          const next = await throughUs[name]({}, call(`${mark}n`, quote(HARMLESS)));
          assert.equal(ran(next, "n"), true, `${name}: ${next.status} ${next.text}`);
        }
      });
    }
  });

  test("the servers would have run many of them", (context) => {
    for (const [name, vectors] of Object.entries(executed)) context.diagnostic(`${name}: ${vectors.join("; ")}`);
    teeth(executed);
  });
}
