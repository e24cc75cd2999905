// The server side of the matrix: each on every transport it has. `call`: one tool with a result that is always the same.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { python, pythonWith } from "../conformance/fixtures.mjs";
import { freePort, REPOSITORY, start } from "../conformance/guard.mjs";
import { PACKAGES } from "../conformance/packages.mjs";
import { rust } from "../conformance/rust.mjs";

const OFFICIAL = join(REPOSITORY, "node_modules/@modelcontextprotocol");
const EVERYTHING = join(OFFICIAL, "server-everything/dist/index.js");
const MEMORY = join(PACKAGES, "@modelcontextprotocol/server-memory/dist/index.js");
const OURS = join(REPOSITORY, "tests/conformance/fixtures");
/** Servers that bind every interface are made to bind loopback alone. */
const LOOPBACK = join(REPOSITORY, "tests/e2e/fixtures/loopback.mjs");

const node = process.execPath;
const stdio = (command, ...args) => ({ transport: "stdio", entry: { command, args } });
const http = (port) => ({ transport: "http", entry: { url: `http://127.0.0.1:${port}/mcp` } });
const sse = (port) => ({ transport: "sse", entry: { type: "sse", url: `http://127.0.0.1:${port}/sse` } });

async function rustHttp(listen) {
  const port = await freePort();
  return listen(rust(), ["serve", `${port}`], /listening/, port);
}

/** Starts the servers, without `quick` those too that take minutes to install. `rows`: one for each server and transport. */
export async function serve({ quick }) {
  const root = mkdtempSync(join(tmpdir(), "pinterop-"));
  const running = [];
  const close = async () => {
    await Promise.all(running.map((server) => server.end()));
    rmSync(root, { recursive: true, force: true });
  };
  const listen = async (command, args, ready, port, env) => {
    running.push(await start(command, args, { ready, env }));
    return port;
  };
  try {
    const files = join(root, "files");
    mkdirSync(files);
    writeFileSync(join(files, "hello.txt"), "Grüezi, 東京\n");
    const ports = await Promise.all([1, 2, 3, 4, 5].map(() => freePort()));
    const [everythingHttp, everythingSse, typescript, pythonHttp, pythonSse] = await Promise.all([
      listen(node, ["--import", LOOPBACK, EVERYTHING, "streamableHttp"], /listening on port/i, ports[0], { PORT: `${ports[0]}` }),
      listen(node, ["--import", LOOPBACK, EVERYTHING, "sse"], /running on port/i, ports[1], { PORT: `${ports[1]}` }),
      listen(node, [join(OURS, "typescript.mjs"), `${ports[2]}`], /listening/, ports[2]),
      listen(python(), [join(OURS, "python.py"), `${ports[3]}`], /running on/, ports[3]),
      listen(python(), [join(OURS, "python.py"), "sse", `${ports[4]}`], /running on/, ports[4]),
    ]);
    const noon = { source_timezone: "UTC", time: "12:00", target_timezone: "Asia/Tokyo" };
    const slow = quick ? {} : {
      "our Rust": {
        call: { tool: "test_multiple_content_types", args: {} },
        ways: [stdio(rust(), "serve", "stdio"), http(await rustHttp(listen))],
      },
      time: {
        call: { tool: "convert_time", args: noon },
        ways: [stdio(pythonWith("mcp-server-time==2026.10.19"), "-m", "mcp_server_time", "--local-timezone", "UTC")],
      },
    };
    const servers = {
      everything: {
        call: { tool: "echo", args: { message: "Grüezi" } },
        ways: [stdio(node, EVERYTHING, "stdio"), sse(everythingSse), http(everythingHttp)],
      },
      filesystem: {
        call: { tool: "read_text_file", args: { path: join(files, "hello.txt") } },
        ways: [stdio(node, join(OFFICIAL, "server-filesystem/dist/index.js"), files)],
      },
      memory: { call: { tool: "read_graph", args: {} }, ways: [stdio(node, MEMORY)] },
      "our TypeScript": {
        call: { tool: "test_multiple_content_types", args: {} },
        ways: [stdio(node, join(OURS, "typescript.mjs"), "stdio"), http(typescript)],
      },
      "our Python": {
        call: { tool: "test_simple_text", args: {} },
        ways: [stdio(python(), join(OURS, "python.py"), "stdio"), sse(pythonSse), http(pythonHttp)],
      },
      ...slow,
    };
    const rows = Object.entries(servers).flatMap(([name, { call, ways }]) =>
      ways.map(({ transport, entry }) => ({ name, transport, call, entry })),
    );
    return { rows, close };
  } catch (error) {
    await close();
    throw error;
  }
}
