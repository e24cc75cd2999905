// A server on the TypeScript SDK 1.x behind Express with its usual JSON middleware: what many servers in the field are, and
// the most willing reader of odd bodies (it decodes gzip, accepts byte order marks and other charsets).
//
//   node express.mjs <port>
import { randomUUID } from "node:crypto";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import express from "express";
import { z } from "zod";

const sessions = new Map();
const app = express();
app.use(express.json({ limit: "4mb" }));
app.all("/mcp", async (request, response) => {
  const known = sessions.get(request.headers["mcp-session-id"]);
  if (known) return known.handleRequest(request, response, request.body);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  const server = new McpServer({ name: "express", version: "1.0.0" });
  const inputSchema = { mark: z.string(), text: z.any() };
  server.registerTool("note", { description: "Writes a note down under a mark.", inputSchema }, ({ mark }) => ({
    content: [{ type: "text", text: `noted ${mark}` }],
  }));
  await server.connect(transport);
  return transport.handleRequest(request, response, request.body);
});
app.listen(Number(process.argv[2]), "127.0.0.1", () => process.stderr.write("listening\n"));
