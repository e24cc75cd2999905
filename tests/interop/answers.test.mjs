// What Portcullis answers in place of hostile messages, by kind and by era of the protocol, as the official clients see it:
// each answer is understood, and the call after it works. (Legacy SSE and what is blocked on the way out in general are in
// tests/e2e/hostile.test.ts.)
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as Stdio2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as Stdio1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as Http1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { freePort, protect, start } from "../conformance/guard.mjs";
import { viaPython } from "./programs.mjs";

const HOSTILE = "hello\u{E0072}\u{E0075}\u{E006E}";
const SERVER = join(import.meta.dirname, "hostile.mjs");
const INFO = { name: "answers", version: "1.0.0" };
const CAPABILITIES = { sampling: {}, elicitation: { form: {} } };

let server;
let guard;
/** Entries of the config that Portcullis rewrote. */
let entries;

before(async () => {
  const port = await freePort();
  server = await start(process.execPath, [SERVER, `${port}`], { ready: /listening/ });
  guard = await protect({
    http: { url: `http://127.0.0.1:${port}/mcp` },
    stdio: { command: process.execPath, args: [SERVER, "stdio"] },
  });
  entries = guard.entries;
});
after(async () => {
  await guard?.close();
  await server?.end();
});

function transport(entry, Stdio, Http) {
  const env = { ...process.env, ...guard.env };
  return entry.command ? new Stdio({ command: entry.command, args: entry.args, env, stderr: "ignore" }) : new Http(new URL(entry.url));
}

/** What reached the app of the server's own messages, and what the app says to sampling. */
function listen(client, [samplingName, elicitName, logName], heard) {
  client.setRequestHandler(samplingName, async () => {
    heard.push("sampling");
    return { role: "assistant", model: "m", content: { type: "text", text: HOSTILE } };
  });
  client.setRequestHandler(elicitName, async () => {
    heard.push("elicitation");
    return { action: "accept", content: {} };
  });
  client.setNotificationHandler(logName, () => void heard.push("log"));
}

async function first(entry, heard) {
  const client = new Client1(INFO, { capabilities: CAPABILITIES });
  listen(client, [CreateMessageRequestSchema, ElicitRequestSchema, LoggingMessageNotificationSchema], heard);
  await client.connect(transport(entry, Stdio1, Http1));
  return client;
}

const second = (mode) => async (entry, heard) => {
  const client = new Client2(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } });
  listen(client, ["sampling/createMessage", "elicitation/create", "notifications/message"], heard);
  await client.connect(transport(entry, Stdio2, Http2));
  return client;
};

const CLIENTS = {
  "TypeScript 1": { connect: first, era: "legacy" },
  "TypeScript 2 legacy": { connect: second("legacy"), era: "legacy" },
  "TypeScript 2 modern": { connect: second({ pin: "2026-07-28" }), era: "modern" },
};

for (const way of ["http", "stdio"]) {
  for (const [name, { connect, era }] of Object.entries(CLIENTS)) {
    describe(`${name} over ${way}`, () => {
      const heard = [];
      let client;
      before(async () => {
        client = await connect(entries[way], heard);
      });
      after(() => client?.close());

      const call = async (tool, args = {}) => {
        const result = await client.callTool({ name: tool, arguments: args });
        return { isError: result.isError === true, text: result.content.map((part) => part.text).join() };
      };
      let words = 0;
      const nextWorks = async () => {
        words++;
        assert.deepEqual(await call("fine", { word: `${words}` }), { isError: false, text: `fine ${words}` });
      };
      const blocked = async (tool, args) => {
        const { isError, text } = await call(tool, args);
        assert.equal(isError, true, text);
        assert.match(text, /Portcullis did not allow/);
        await nextWorks();
      };
      const refused = async (asking) => {
        await assert.rejects(asking, (error) => error.code === 4031 && /Portcullis did not allow/.test(error.message));
        await nextWorks();
      };

      test("a hostile call is a tool error", () => blocked("fine", { word: HOSTILE }));
      test("a hostile result is a tool error", () => blocked("result"));
      test("hostile structured content is a tool error", () => blocked("structured"));
      test("a hostile prompt is an error", () => refused(client.getPrompt({ name: "hostile" })));
      test("a hostile resource is an error", () => refused(client.readResource({ uri: "test://hostile" })));
      test("a request for a hostile address is an error", () => refused(client.readResource({ uri: `test://${HOSTILE}` })));

      test("a hostile notification does not arrive and its call does", async () => {
        assert.deepEqual(await call("log"), { isError: false, text: "logged" });
        assert.deepEqual(heard, []);
        await nextWorks();
      });

      if (era === "legacy") {
        test("hostile sampling is refused for the app", async () => {
          assert.match((await call("sampling")).text, /the app refused: .*User rejected/);
          assert.deepEqual(heard, []);
          await nextWorks();
        });
        test("a hostile elicitation is declined for the app", async () => {
          assert.match((await call("elicitation")).text, /the app answered .*"action":"decline"/);
          assert.deepEqual(heard, []);
          await nextWorks();
        });
        test("an app's hostile answer becomes a refusal, so that the server does not wait", async () => {
          assert.match((await call("ask")).text, /the app refused: .*User rejected/);
          assert.deepEqual(heard.splice(0), ["sampling"]);
          await nextWorks();
        });
      } else {
        test("a result that asks for hostile input is a tool error", () => blocked("input"));
      }
    });
  }

  for (const mode of ["legacy", "auto"]) {
    test(`Python ${mode} over ${way}`, async () => {
      const fine = (word) => ({ call: "fine", arguments: { word } });
      const steps = [fine(HOSTILE), fine("1"), { call: "result" }, fine("2"), { call: "log" }, fine("3")];
      const { results, version } = await viaPython(entries[way], guard.env, mode, steps);
      assert.equal(version === "2026-07-28", mode === "auto");
      const texts = results.map((result) => `${result.isError} ${result.content[0].text}`);
      assert.match(texts[0], /^true Portcullis did not allow this call/);
      assert.match(texts[2], /^true Portcullis did not allow the result of this call/);
      assert.deepEqual([texts[1], texts[3], texts[4], texts[5]], ["false fine 1", "false fine 2", "false logged", "false fine 3"]);
      const read = await viaPython(entries[way], guard.env, mode, [{ read: "test://hostile" }, fine("4")]);
      assert.match(read.results[0].error, /Portcullis did not allow/);
      assert.equal(read.results[1].content[0].text, "fine 4");
    });
  }
}
