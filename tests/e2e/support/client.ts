// What an app does with an entry of its config, with the official SDKs: 1.x for all transports, 2.x for 2026-07-28.
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { World } from "./world.ts";

export interface Entry {
  command?: string;
  args?: string[];
  env?: Record<string, string>;
  type?: string;
  url?: string;
  headers?: Record<string, string>;
}

const INFO = { name: "e2e", version: "1.0.0" };

function transportOf(entry: Entry, world: World): Transport {
  if (entry.command !== undefined) {
    const env = { ...getDefaultEnvironment(), HOME: world.home, ...entry.env };
    return new StdioClientTransport({
      command: entry.command,
      args: entry.args ?? [],
      env,
      stderr: "ignore",
    });
  }
  const url = new URL(entry.url ?? "");
  const requestInit = { headers: entry.headers ?? {} };
  return entry.type === "sse"
    ? new SSEClientTransport(url, { requestInit })
    : new StreamableHTTPClientTransport(url, { requestInit });
}

/** A client that answers what servers ask: sampling, elicitation, roots. */
export async function connect(entry: Entry, world: World): Promise<Client> {
  const capabilities = { sampling: {}, elicitation: { form: {} }, roots: {} };
  const client = new Client(INFO, { capabilities });
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({
    role: "assistant",
    model: "test",
    content: { type: "text", text: "sampled by the client" },
  }));
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "decline" }));
  client.setRequestHandler(ListRootsRequestSchema, async () => ({
    roots: [{ uri: "file:///project", name: "project" }],
  }));
  world.afterwards(() => client.close());
  await client.connect(transportOf(entry, world));
  return client;
}

/** The stateless protocol, version 2026-07-28. */
export async function connectModern(entry: Entry, world: World): Promise<ModernClient> {
  const client = new ModernClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  world.afterwards(() => client.close());
  await client.connect(new ModernHttp(new URL(entry.url ?? "")));
  return client;
}

interface Called {
  isError?: boolean;
  content?: { type: string; text?: string }[];
}

/** `text` of a tool result, and whether it is an error a model can read. */
export async function call(
  client: { callTool: (params: { name: string; arguments: Record<string, unknown> }) => Promise<unknown> },
  name: string,
  args: Record<string, unknown>,
): Promise<{ isError: boolean; text: string }> {
  const result = (await client.callTool({ name, arguments: args })) as Called;
  return {
    isError: result.isError === true,
    text: (result.content ?? []).map((part) => part.text ?? "").join("\n"),
  };
}
