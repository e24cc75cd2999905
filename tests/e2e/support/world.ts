// One test file's world: a HOME with real configs of Cursor and Claude Desktop, real servers, the real daemon and CLI.
import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "jsonc-parser";
import type { Entry } from "./client.ts";
import { EVERYTHING, FILESYSTEM, LEDGER, LOOPBACK, PORTCULLIS } from "./places.ts";
import { type Running, start, until } from "./processes.ts";

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export class World {
  readonly root = mkdtempSync(join(tmpdir(), "pe2e-"));
  readonly home = join(this.root, "home");
  readonly state = join(this.root, "state");
  readonly files = join(this.root, "files");
  readonly ledgerFile = join(this.root, "ledger.jsonl");
  readonly cursorFile = join(this.home, ".cursor/mcp.json");
  readonly claudeFile = join(this.home, ".config/Claude/claude_desktop_config.json");
  readonly env: NodeJS.ProcessEnv;
  cursorText = "";
  claudeText = "";
  daemon: Running | undefined;
  private servers: Running[] = [];
  private closers: (() => Promise<void>)[] = [];

  private constructor() {
    const { PATH, TMPDIR, LANG } = process.env;
    this.env = { PATH, TMPDIR, LANG, HOME: this.home, PORTCULLIS_HOME: this.state, NO_COLOR: "1" };
  }

  /** Servers run and configs lie there; nothing is protected and no daemon runs. */
  static async create(): Promise<World> {
    const world = new World();
    try {
      await world.furnish();
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  /** An empty HOME, and nothing that runs. */
  static async bare(): Promise<World> {
    const world = new World();
    mkdirSync(world.home, { recursive: true });
    return world;
  }

  private async furnish() {
    for (const folder of [this.files, dirname(this.cursorFile), dirname(this.claudeFile)]) {
      mkdirSync(folder, { recursive: true });
    }
    writeFileSync(join(this.files, "hello.txt"), "Grüezi, 東京\n");
    const ports = await freePorts(5);
    const [sse, http, ledgerSse, ledgerHttp, ledgerModern] = ports;
    const node = (args: string[], port?: number) =>
      start(process.execPath, args, { env: { ...this.env, PORT: String(port) }, cwd: this.root });
    this.servers = [
      node(["--import", LOOPBACK, EVERYTHING, "sse"], sse),
      node(["--import", LOOPBACK, EVERYTHING, "streamableHttp"], http),
      node([LEDGER, "sse", this.ledgerFile, String(ledgerSse)]),
      node([LEDGER, "http", this.ledgerFile, String(ledgerHttp)]),
      node([LEDGER, "modern", this.ledgerFile, String(ledgerModern)]),
    ];
    const ready = [/running on port/i, /listening on port/i, /listening/, /listening/, /listening/];
    await Promise.all(this.servers.map((server, n) => server.says(ready[n] as RegExp)));
    const q = JSON.stringify;
    this.cursorText = `// my servers
{
\t"mcpServers" : {
    /* the reference server, three ways */
    "everything": { "command": ${q(process.execPath)}, "args": [ ${q(EVERYTHING)},
        "stdio" ], "env": {"GREETING": "grüezi"} },
    "everything sse":   {"type":"sse","url":"http://127.0.0.1:${sse}/sse"},
    "Everything (HTTP)": {
      "url"   :   "http://127.0.0.1:${http}/mcp", // streamable
      "headers": { "X-Team": "a b" }
    },
    "ledger": { "command": ${q(process.execPath)}, "args": [${q(LEDGER)}, "stdio", ${q(this.ledgerFile)}] },
    "ledger-sse": { "type": "sse", "url": "http://127.0.0.1:${ledgerSse}/sse" },
    "ledger-http": { "url": "http://127.0.0.1:${ledgerHttp}/mcp" },

    "ledger-modern": { "url": "http://127.0.0.1:${ledgerModern}/mcp" },
  },
  "other": [1,2 , 3]
}
`;
    this.claudeText = `{"globalShortcut":"","mcpServers":{"files":{"command":${q(process.execPath)},"args":[${q(FILESYSTEM)},${q(this.files)}]}},"scale":1.0}`;
    writeFileSync(this.cursorFile, this.cursorText);
    chmodSync(this.cursorFile, 0o640);
    writeFileSync(this.claudeFile, this.claudeText);
  }

  /** `once`: no shim starts the daemon again when a test kills it. */
  async serve(once = ["--once"]): Promise<void> {
    const ports = existsSync(join(this.state, "config.toml"))
      ? []
      : ["--proxy-port", "0", "--dashboard-port", "0"];
    this.daemon = start(PORTCULLIS, ["serve", ...once, ...ports], { env: this.env, cwd: this.root });
    await this.daemon.says(/Pairing code: /);
  }

  get proxyPort(): number {
    return Number(/Proxy: 127\.0\.0\.1:(\d+)/.exec(this.daemon?.output() ?? "")?.[1]);
  }
  get dashboard(): string {
    return /Dashboard: (\S+)/.exec(this.daemon?.output() ?? "")?.[1] ?? "";
  }

  cli(...args: string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(
        PORTCULLIS,
        args,
        { env: this.env, cwd: this.root, maxBuffer: 64e6 },
        (error, stdout, stderr) => {
          const code = typeof error?.code === "number" ? error.code : error ? -1 : 0;
          resolve({ code, stdout, stderr });
        },
      );
    });
  }

  /** A command that must succeed. */
  async done(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    if (code !== 0) throw new Error(`portcullis ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** The entries of a config, read as the app reads them: comments and trailing commas allowed. */
  entries(file: string): Record<string, Entry> {
    return parse(readFileSync(file, "utf8"), [], { allowTrailingComma: true }).mcpServers;
  }

  original(name: string): Entry {
    const texts = [this.cursorText, this.claudeText].map((text) =>
      parse(text, [], { allowTrailingComma: true }),
    );
    const entry = texts.map((config) => config.mcpServers[name]).find((found) => found !== undefined);
    if (!entry) throw new Error(`no entry ${name}`);
    return entry;
  }

  protectedEntry(name: string): Entry {
    const entry = this.entries(this.cursorFile)[name] ?? this.entries(this.claudeFile)[name];
    if (!entry) throw new Error(`no entry ${name}`);
    return entry;
  }

  /** What tools of the ledger server really ran. */
  ledger(): { mode: string; name: string; args: Record<string, unknown> }[] {
    if (!existsSync(this.ledgerFile)) return [];
    return readFileSync(this.ledgerFile, "utf8")
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  spooled(): string[] {
    const folder = join(this.state, "spool");
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".jsonl")) : [];
  }

  /** What shims judge by while the daemon is away. */
  snapshot(): string {
    const file = join(this.state, "run/snapshot.json");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** The daemon that says it runs here. */
  running(): { pid: number } | undefined {
    const file = join(this.state, "run/daemon.json");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  }

  /** Runs when the world ends, last first. */
  afterwards(close: () => Promise<void>) {
    this.closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.closers.reverse()) await close().catch(() => undefined);
    await this.daemon?.end();
    await Promise.all(this.servers.map((server) => server.end()));
    rmSync(this.root, { recursive: true, force: true });
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const open = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
      return server;
    }),
  );
  const ports = open.map((server) => (server.address() as { port: number }).port);
  await Promise.all(open.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export { until };
