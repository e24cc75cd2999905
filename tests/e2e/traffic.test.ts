// The everyday path: both apps are protected, and everything their servers show and answer is the same as before.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "jsonc-parser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, connect, connectModern } from "./support/client.ts";
import { type Step, surface } from "./support/surface.ts";
import { World } from "./support/world.ts";

let world: World;

beforeAll(async () => {
  world = await World.create();
  await world.serve();
  await world.done("protect", "cursor", "--yes");
  await world.done("protect", "claude-desktop", "--yes");
});
afterAll(() => world?.close());

const EVERYTHING_STEPS: Step[] = [
  { tool: "echo", args: { message: 'Grüezi \u0000 東京 "quoted" \\ </script>' } },
  { tool: "get-sum", args: { a: 1e21, b: -0.5 } },
  { tool: "get-sum", args: { a: "no number" } },
  { tool: "get-env" },
  { tool: "get-tiny-image" },
  { tool: "get-annotated-message", args: { messageType: "error", includeImage: true } },
  { tool: "get-structured-content", args: { location: "Chicago" } },
  { tool: "get-resource-links", args: { count: 3 } },
  { tool: "trigger-long-running-operation", args: { duration: 0.4, steps: 4 } },
  { tool: "trigger-sampling-request", args: { prompt: "Name a river", maxTokens: 20 } },
  { tool: "trigger-elicitation-request" },
  { tool: "get-roots-list" },
];

describe("the configs", () => {
  test("only command, args and url of an entry are rewritten, comments and spacing stay", () => {
    const text = readFileSync(world.cursorFile, "utf8");
    const before = parse(world.cursorText, [], { allowTrailingComma: true });
    const after = parse(text, [], { allowTrailingComma: true });
    expect(Object.keys(after.mcpServers)).toEqual(Object.keys(before.mcpServers));
    expect(after.other).toEqual(before.other);
    for (const comment of [
      "// my servers",
      "/* the reference server, three ways */",
      "// streamable",
      '\t"mcpServers" : {',
    ]) {
      expect(text).toContain(comment);
    }
    const shim = join(world.state, "bin/portcullis-shim");
    for (const [name, entry] of Object.entries<Record<string, unknown>>(before.mcpServers)) {
      const { command, args, url, ...kept } = after.mcpServers[name];
      const { command: oldCommand, args: oldArgs, url: oldUrl, ...same } = entry;
      expect(kept).toEqual(same);
      if (oldUrl) {
        const kind = entry.type === "sse" ? "sse" : "mcp";
        expect(url).toMatch(
          new RegExp(`^http://127\\.0\\.0\\.1:${world.proxyPort}/cursor/[a-z0-9-]+~[a-z2-7]{26}/${kind}$`),
        );
      } else {
        expect(command).toBe(shim);
        expect(args).toEqual([
          "run",
          "--id",
          expect.stringMatching(/^[a-z2-7]{26}$/),
          "--",
          oldCommand,
          ...(oldArgs as []),
        ]);
      }
    }
    expect(statSync(world.cursorFile).mode & 0o777).toBe(0o640);
  });

  test("a preview changes nothing, and protecting twice neither", async () => {
    const before = readFileSync(world.cursorFile);
    await world.done("protect", "cursor", "--dry-run");
    await world.done("protect", "cursor", "--yes");
    expect(readFileSync(world.cursorFile).equals(before)).toBe(true);
  });
});

describe("everything that goes through is as it was", () => {
  test.each(["everything", "everything sse", "Everything (HTTP)"])("%s", async (name) => {
    const direct = await surface(await connect(world.original(name), world), EVERYTHING_STEPS);
    const through = await surface(await connect(world.protectedEntry(name), world), EVERYTHING_STEPS);
    expect(through).toEqual(direct);
  });

  test("the filesystem server of Claude Desktop", async () => {
    const steps: Step[] = [
      { tool: "read_text_file", args: { path: join(world.files, "hello.txt") } },
      {
        tool: "write_file",
        args: {
          path: join(world.files, "a b.md"),
          content: "| a | b |\n|---|---|\n| `../src/index.ts` | 1 |\n",
        },
      },
      { tool: "read_text_file", args: { path: join(world.files, "a b.md"), head: 1 } },
      { tool: "list_directory", args: { path: world.files } },
      { tool: "search_files", args: { path: world.files, pattern: "*.txt" } },
      { tool: "list_allowed_directories" },
    ];
    const direct = await surface(await connect(world.original("files"), world), steps);
    const through = await surface(await connect(world.protectedEntry("files"), world), steps);
    expect(through).toEqual(direct);
    expect(through[`read_text_file ${JSON.stringify(steps[0]?.args)}`]).toMatchObject({
      result: { content: [{ text: "Grüezi, 東京\n" }] },
    });
  });

  test("the stateless protocol", async () => {
    const direct = await connectModern(world.original("ledger-modern"), world);
    const through = await connectModern(world.protectedEntry("ledger-modern"), world);
    const honest = (await direct.listTools()).tools.filter((tool) => tool.name !== "add");
    expect((await through.listTools()).tools).toEqual(honest);
    expect(await call(through, "note", { text: "buy milk" })).toEqual(
      await call(direct, "note", { text: "buy milk" }),
    );
  });

  test("many calls at once", async () => {
    const client = await connect(world.protectedEntry("everything"), world);
    const calls = Array.from({ length: 200 }, (_, n) =>
      call(client, "echo", { message: `${n} ${"x".repeat(n * 20)}` }),
    );
    const texts = (await Promise.all(calls)).map(({ text }) => text);
    expect(texts).toEqual(texts.map((_, n) => `Echo: ${n} ${"x".repeat(n * 20)}`));
  });

  test("nothing of this was blocked, and all of it is in the log", async () => {
    const rows = JSON.parse(await world.done("log", "--json", "--verdict", "block", "-n", "200"));
    // The poisoned tool of the stateless server is the one thing that was held back.
    expect(rows.filter((row: { upstream_name: string }) => !row.upstream_name.startsWith("ledger"))).toEqual(
      [],
    );
    const all = JSON.parse(await world.done("log", "--json", "--method", "tools/call", "-n", "1000"));
    for (const name of ["everything", "everything sse", "Everything (HTTP)", "files"]) {
      const transports = new Set(
        all
          .filter((row: { upstream_name: string }) => row.upstream_name === name)
          .map((row: { transport: string }) => row.transport),
      );
      expect([name, [...transports]]).toEqual([
        name,
        [{ "everything sse": "sse", "Everything (HTTP)": "streamable_http" }[name] ?? "stdio"],
      ]);
    }
  });

  test("the apps are protected as observed", async () => {
    const apps: {
      id: string;
      files: { servers: { name: string; protected: boolean; observed: { state: string } }[] }[];
    }[] = JSON.parse(await world.done("apps", "--json"));
    const servers = apps
      .filter((app) => ["cursor", "claude-desktop"].includes(app.id))
      .flatMap((app) => app.files.flatMap((file) => file.servers));
    expect(servers.every((server) => server.protected)).toBe(true);
    const seen = servers.filter((server) => server.observed.state === "seen").map((server) => server.name);
    expect(seen.sort()).toEqual([
      "Everything (HTTP)",
      "everything",
      "everything sse",
      "files",
      "ledger-modern",
    ]);
  });
});

describe("restore", () => {
  test("gives back the exact bytes and the mode", async () => {
    await world.done("restore", "cursor", "--yes");
    expect(readFileSync(world.cursorFile, "utf8")).toBe(world.cursorText);
    expect(statSync(world.cursorFile).mode & 0o777).toBe(0o640);
    await world.done("restore", "--all", "--yes");
    expect(readFileSync(world.claudeFile, "utf8")).toBe(world.claudeText);
  });

  test("keeps what the person changed meanwhile", async () => {
    await world.done("protect", "cursor", "--yes");
    const edited = readFileSync(world.cursorFile, "utf8").replace(
      '"other": [1,2 , 3]',
      '"other": [1,2 , 3], "mine": true',
    );
    writeFileSync(world.cursorFile, edited);
    await world.done("restore", "cursor", "--yes");
    expect(readFileSync(world.cursorFile, "utf8")).toBe(
      world.cursorText.replace('"other": [1,2 , 3]', '"other": [1,2 , 3], "mine": true'),
    );
  });
});
