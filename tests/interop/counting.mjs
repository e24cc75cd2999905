// A stdio server whose tool says how often it ran for each word, and another how often in all.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const ran = new Map();
const server = new McpServer({ name: "counting", version: "1.0.0" });
server.registerTool("once", { description: "Counts a word.", inputSchema: { word: z.string() } }, ({ word }) => {
  ran.set(word, (ran.get(word) ?? 0) + 1);
  return { content: [{ type: "text", text: `${word} ran ${ran.get(word) === 1 ? "once" : `${ran.get(word)} times`}` }] };
});
server.registerTool("tally", { description: "Words, and runs of all of them." }, () => {
  const runs = [...ran.values()].reduce((sum, each) => sum + each, 0);
  return { content: [{ type: "text", text: `${ran.size} words, ${runs} runs` }] };
});
await server.connect(new StdioServerTransport());
