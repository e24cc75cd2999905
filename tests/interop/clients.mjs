// The client side of the matrix: what each official client sees of a server. All of them do the same: connect, list the
// tools, call one. What they see is plain data, so that direct and proxied can be compared.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client as Client2, SSEClientTransport as Sse2, StreamableHTTPClientTransport as Http2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as Stdio2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as Sse1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as Stdio1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as Http1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { NODE, PACKAGES } from "../conformance/packages.mjs";
import { run, viaPython, viaRust } from "./programs.mjs";

const INFO = { name: "interop", version: "1.0.0" };

const seen = (tools, result) => ({
  tools: tools.map((tool) => tool.name).sort(),
  schemas: tools.map((tool) => JSON.stringify(tool.inputSchema)).sort(),
  called: (result.content ?? []).map((part) => part.text ?? part.type),
  isError: result.isError === true,
});

const withTypescript = (Client, [Stdio, Sse, Http], options) => async (entry, env, { tool, args }) => {
  const client = new Client(INFO, options);
  const transport = entry.command
    ? new Stdio({ command: entry.command, args: entry.args, env: { ...process.env, ...env, ...entry.env }, stderr: "ignore" })
    : new (entry.type === "sse" ? Sse : Http)(new URL(entry.url));
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    return seen(tools, await client.callTool({ name: tool, arguments: args }));
  } finally {
    await client.close();
  }
};

const withProgram = (via, mode) => async (entry, env, { tool, args }) => {
  const { results } = await via(entry, env, mode, [{ list: "tools" }, { call: tool, arguments: args }]);
  const failed = results.find((result) => result.error);
  if (failed) throw new Error(failed.error);
  return seen(results[0].tools, results[1]);
};

const withInspector = async (entry, env, { tool, args }) => {
  const program = join(PACKAGES, ".bin/mcp-inspector");
  const folder = mkdtempSync(join(tmpdir(), "pinspector-"));
  const config = join(folder, "mcp.json");
  writeFileSync(config, JSON.stringify({ mcpServers: { s: entry } }));
  // Commands come from a config, as in apps: on the command line the Inspector would read the server's own options.
  const target = entry.command ? ["--config", config, "--server", "s"] : [entry.url, "--transport", entry.type ?? "http"];
  const ask = async (...method) => JSON.parse(await run(NODE, [program, "--cli", ...target, "--method", ...method], env));
  try {
    const { tools } = await ask("tools/list");
    const pairs = Object.entries(args).flatMap(([key, value]) => ["--tool-arg", `${key}=${value}`]);
    return seen(tools, await ask("tools/call", "--tool-name", tool, ...pairs));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const FIRST = [Stdio1, Sse1, Http1];
const SECOND = [Stdio2, Sse2, Http2];

export const CLIENTS = {
  "TypeScript 1": withTypescript(Client1, FIRST),
  "TypeScript 2 legacy": withTypescript(Client2, SECOND, { versionNegotiation: { mode: "legacy" } }),
  "TypeScript 2 auto": withTypescript(Client2, SECOND, { versionNegotiation: { mode: "auto" } }),
  "Python legacy": withProgram(viaPython, "legacy"),
  "Python auto": withProgram(viaPython, "auto"),
  "Rust legacy": withProgram(viaRust, "legacy"),
  "Rust auto": withProgram(viaRust, "auto"),
  Inspector: withInspector,
};
