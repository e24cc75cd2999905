// Everything a server shows and answers, as plain data: what goes through Portcullis must equal what comes directly.
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { LoggingMessageNotificationSchema, McpError, ResultSchema } from "@modelcontextprotocol/sdk/types.js";

export interface Step {
  tool: string;
  args?: Record<string, unknown>;
}

/** Answers and errors alike; an error is its code and message. */
async function answer(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof McpError) return { code: error.code, message: error.message };
    throw error;
  }
}

export async function surface(client: Client, steps: Step[]): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {
    server: client.getServerVersion(),
    capabilities: client.getServerCapabilities(),
    instructions: client.getInstructions(),
    tools: await client.listTools(),
    ping: await client.ping(),
    "no such method": await answer(() => client.request({ method: "no/such/method" }, ResultSchema)),
    "no such tool": await answer(() => client.callTool({ name: "no such tool", arguments: {} })),
  };
  const capabilities = client.getServerCapabilities() ?? {};
  if (capabilities.prompts) {
    const { prompts } = await client.listPrompts();
    seen.prompts = prompts;
    const plain = prompts.find((prompt) => (prompt.arguments ?? []).length === 0);
    if (plain) seen.prompt = await client.getPrompt({ name: plain.name });
  }
  if (capabilities.resources) {
    const { resources } = await client.listResources();
    seen.resources = resources;
    seen.templates = await client.listResourceTemplates();
    const [first] = resources;
    if (first) seen.resource = await client.readResource({ uri: first.uri });
    seen["no such resource"] = await answer(() => client.readResource({ uri: "demo://no/such/resource" }));
  }
  if (capabilities.logging) {
    client.setNotificationHandler(LoggingMessageNotificationSchema, () => undefined);
    seen.level = await client.setLoggingLevel("error");
  }
  for (const { tool, args = {} } of steps) {
    // The last step comes with the result, and the client drops whichever it reads second.
    const progress: unknown[] = [];
    const onprogress = (step: { progress: number; total?: number }) => {
      if (step.progress !== step.total) progress.push(step);
    };
    const call = () => client.callTool({ name: tool, arguments: args }, undefined, { onprogress });
    seen[`${tool} ${JSON.stringify(args)}`] = { result: await answer(call), progress };
  }
  return seen;
}
