// A harmless MCP server over stdio with one tool: enough for a protected entry to carry traffic.
import { createInterface } from 'node:readline';

const answers = {
  initialize: () => ({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'notes', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'read_note', description: 'Reads a note.', inputSchema: { type: 'object', properties: { path: { type: 'string' } } } }] }),
  'tools/call': () => ({ content: [{ type: 'text', text: 'a note' }] }),
};
createInterface(process.stdin).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id !== undefined && answers[method]) process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]() })}\n`);
});
