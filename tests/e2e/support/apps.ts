// How each app that Portcullis writes documents its config: where the file is, what an entry looks like, and how the app
// reads it. Written from the apps' documentation, not from our descriptors, so that the two can disagree.
import { type ParseError, parse } from "jsonc-parser";
import { parse as toml } from "smol-toml";
import { parse as yaml } from "yaml";
import type { Entry } from "./client.ts";

export interface Stdio {
  command: string;
  args: string[];
  env: Record<string, string>;
}
export interface Remote {
  url: string;
  headers: Record<string, string>;
}
type Fields = Record<string, unknown>;

export interface DocumentedApp {
  id: string;
  /** Below HOME; with `project` below a folder that the person named. */
  file: string;
  project?: boolean;
  /** A config with one server of each kind, as a person would write it. */
  write: (stdio: Stdio, remote: Remote) => string;
  /** What the app makes of the file; throws where the app would reject it. */
  read: (text: string) => { stdio: Entry; remote?: Entry };
}

const strict = (text: string): Fields => JSON.parse(text);
const lax = (text: string): Fields => {
  const errors: ParseError[] = [];
  const value = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) throw new Error(`not JSON with comments: ${JSON.stringify(errors)}`);
  return value;
};

function object(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null) throw new Error(`${what} is not an object`);
  return value as Fields;
}
function string(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "") throw new Error(`${what} is not a text`);
  return value;
}
function strings(value: unknown, what: string): string[] {
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value.map((one) => string(one, what));
}
function only(fields: Fields, ...known: string[]) {
  const unknown = Object.keys(fields).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`unknown keys: ${unknown}`);
}

interface Notation {
  /** The map of servers: the keys that lead to it. */
  at: string[];
  comments?: boolean;
  stdio?: Fields;
  /** null: the app takes no URL from its file. */
  remote?: Fields | null;
  url?: string;
  /** Key and the value of it that means streamable HTTP. */
  type?: [string, string];
  headers?: string[];
  around?: Fields;
  tabs?: boolean;
}

/** The many apps with Claude's notation: a map of `{command, args, env}` and `{url, headers}`. */
function claudeLike(id: string, file: string, notation: Notation): DocumentedApp {
  const { at, comments = false, url = "url", headers = ["headers"], type } = notation;
  const nest = (keys: string[], value: unknown): unknown =>
    keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return {
    id,
    file,
    write: (stdio, remote) => {
      const docs = { ...notation.remote, [url]: remote.url, ...(nest(headers, remote.headers) as Fields) };
      const servers = {
        files: { ...notation.stdio, ...stdio },
        ...(notation.remote !== null && { docs }),
      };
      const whole = { ...notation.around, ...(nest(at, servers) as Fields) };
      const text = JSON.stringify(whole, null, notation.tabs ? "\t" : 2);
      return comments ? `// mine\n${text.replace('"files": {', '"files": { // local')}\n` : text;
    },
    read: (text) => {
      let servers: unknown = comments ? lax(text) : strict(text);
      for (const key of at) servers = object(servers, at.join("."))[key];
      const { files, docs } = object(servers, at.join("."));
      const { command, args, env, ...more } = object(files, "files");
      if (JSON.stringify(more) !== JSON.stringify(notation.stdio ?? {}))
        throw new Error("other keys changed");
      const read = {
        command: string(command, "command"),
        args: strings(args, "args"),
        env: object(env, "env") as Record<string, string>,
      };
      if (notation.remote === null) return { stdio: read };
      const entry = object(docs, "docs");
      if ("command" in entry) throw new Error("both a command and a URL");
      if (type && entry[type[0]] !== type[1]) throw new Error(`${type[0]} is ${entry[type[0]]}`);
      const sent = headers.reduce<unknown>((inner, key) => object(inner, key)[key], entry);
      return {
        stdio: read,
        remote: { url: string(entry[url], url), headers: sent as Record<string, string> },
      };
    },
  };
}

const typed = (value: string): Pick<Notation, "remote" | "type"> => ({
  remote: { type: value },
  type: ["type", value],
});
const vscode = (id: string, folder: string) =>
  claudeLike(id, `.config/${folder}/User/mcp.json`, {
    at: ["servers"],
    comments: true,
    stdio: { type: "stdio", gallery: true },
    ...typed("http"),
    around: { inputs: [] },
  });
const plain = (id: string, file: string, notation: Partial<Notation> = {}) =>
  claudeLike(id, file, { at: ["mcpServers"], ...notation });

/** One list for program and arguments, and other words for the rest. */
function openCodeLike(id: string, file: string): DocumentedApp {
  return {
    id,
    file,
    write: ({ command, args, env }, { url, headers }) =>
      `{\n  // servers\n  "mcp": {\n    "files": { "type": "local", "command": ${JSON.stringify([command, ...args])}, "environment": ${JSON.stringify(env)}, },\n    "docs": { "type": "remote", "url": ${JSON.stringify(url)}, "headers": ${JSON.stringify(headers)}, "enabled": true },\n  },\n}\n`,
    read: (text) => {
      const { files, docs } = object(lax(text).mcp, "mcp") as Record<string, Fields>;
      if (files?.type !== "local" || docs?.type !== "remote" || docs.enabled !== true) {
        throw new Error("other keys changed");
      }
      const [command, ...args] = strings(files.command, "command");
      const env = object(files.environment, "environment") as Record<string, string>;
      const headers = object(docs.headers, "headers") as Record<string, string>;
      return { stdio: { command, args, env }, remote: { url: string(docs.url, "url"), headers } };
    },
  };
}

const codex: DocumentedApp = {
  id: "codex",
  file: ".codex/config.toml",
  write: ({ command, args, env }, { url, headers }) =>
    `model = "gpt-5" # mine\n\n[mcp_servers.files]\ncommand = ${JSON.stringify(command)}\nargs = [\n  ${args.map((arg) => JSON.stringify(arg)).join(",\n  ")}, # last\n]\nstartup_timeout_sec = 20\n[mcp_servers.files.env]\n${Object.entries(env).map(([key, value]) => `${key} = '${value}'\n`)}\n[mcp_servers.docs]\nurl = '${url}'\nhttp_headers = { Authorization = ${JSON.stringify(headers.Authorization)} }\n`,
  read: (text) => {
    const { files, docs } = object(toml(text).mcp_servers, "mcp_servers") as Record<string, Fields>;
    // It refuses what it does not know, and a URL beside a command.
    only(files ?? {}, "command", "args", "env", "env_vars", "cwd", "startup_timeout_sec", "tool_timeout_sec");
    only(
      docs ?? {},
      "url",
      "http_headers",
      "bearer_token_env_var",
      "startup_timeout_sec",
      "tool_timeout_sec",
    );
    return {
      stdio: {
        command: string(files?.command, "command"),
        args: strings(files?.args, "args"),
        env: files?.env as Record<string, string>,
      },
      remote: { url: string(docs?.url, "url"), headers: docs?.http_headers as Record<string, string> },
    };
  },
};

const vibe: DocumentedApp = {
  id: "mistral-vibe",
  file: ".vibe/config.toml",
  write: ({ command, args, env }, { url, headers }) =>
    `[[mcp_servers]]\nname = "files"\ntransport = "stdio"\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}\nenv = { GREETING = ${JSON.stringify(env.GREETING)} }\n\n[[mcp_servers]]\nname = "docs"\ntransport = "streamable-http"\nurl = "${url}"\nheaders = { Authorization = ${JSON.stringify(headers.Authorization)} }\n`,
  read: (text) => {
    const list = toml(text).mcp_servers as Fields[];
    const [files, docs] = ["files", "docs"].map((name) => list.find((one) => one.name === name) ?? {});
    if (files?.transport !== "stdio" || docs?.transport !== "streamable-http") throw new Error("transport");
    return {
      stdio: {
        command: string(files.command, "command"),
        args: strings(files.args, "args"),
        env: files.env as Record<string, string>,
      },
      remote: { url: string(docs.url, "url"), headers: docs.headers as Record<string, string> },
    };
  },
};

const goose: DocumentedApp = {
  id: "goose",
  file: ".config/goose/config.yaml",
  write: ({ command, args, env }, { url, headers }) =>
    `GOOSE_MODE: auto\nextensions:\n  developer:\n    enabled: true\n    type: builtin\n  files:\n    args:\n${args.map((arg) => `    - ${JSON.stringify(arg)}\n`).join("")}    cmd: ${command}   # mine\n    enabled: true\n    envs:\n      GREETING: '${env.GREETING}'\n    name: files\n    timeout: 300\n    type: stdio\n  docs:\n    type: streamable_http\n    uri: ${url}\n    headers:\n      Authorization: ${headers.Authorization}\n`,
  read: (text) => {
    const { files, docs } = object(yaml(text).extensions, "extensions") as Record<string, Fields>;
    if (files?.type !== "stdio" || docs?.type !== "streamable_http") throw new Error("type");
    const stdio = {
      command: string(files.cmd, "cmd"),
      args: strings(files.args, "args"),
      env: files.envs as Record<string, string>,
    };
    return {
      stdio,
      remote: { url: string(docs.uri, "uri"), headers: docs.headers as Record<string, string> },
    };
  },
};

const continueDev: DocumentedApp = {
  id: "continue",
  file: ".continue/config.yaml",
  write: ({ command, args, env }, { url, headers }) =>
    `name: Local\nversion: 1.0.0\nschema: v1\nmcpServers:\n  - name: files\n    command: ${command}\n    args: ${JSON.stringify(args)}\n    env: { GREETING: "${env.GREETING}" }\n  - name: docs # there\n    type: streamable-http\n    url: ${url}\n    requestOptions:\n      headers:\n        Authorization: ${headers.Authorization}\n`,
  read: (text) => {
    const list = yaml(text).mcpServers as Fields[];
    const [files, docs] = ["files", "docs"].map((name) => list.find((one) => one.name === name) ?? {});
    if (docs?.type !== "streamable-http") throw new Error("type");
    const { headers } = object(docs.requestOptions, "requestOptions");
    return {
      stdio: {
        command: string(files?.command, "command"),
        args: strings(files?.args, "args"),
        env: files?.env as Record<string, string>,
      },
      remote: { url: string(docs.url, "url"), headers: headers as Record<string, string> },
    };
  },
};

const ROO = "User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json";

/** Every app that Portcullis writes. */
export const DOCUMENTED: DocumentedApp[] = [
  plain("cursor", ".cursor/mcp.json", { comments: true }),
  plain("claude-desktop", ".config/Claude/claude_desktop_config.json", {
    remote: null,
    around: { globalShortcut: "" },
  }),
  plain("claude-code", ".claude.json", {
    stdio: { type: "stdio" },
    ...typed("http"),
    around: { numStartups: 3 },
  }),
  vscode("vscode", "Code"),
  vscode("vscode-insiders", "Code - Insiders"),
  vscode("vscodium", "VSCodium"),
  plain("windsurf", ".config/devin/mcp_config.json", {
    url: "serverUrl",
    remote: { transport: "http" },
    type: ["transport", "http"],
  }),
  plain("cline", ".cline/data/settings/cline_mcp_settings.json", {
    stdio: { type: "stdio", disabled: false, autoApprove: [], timeout: 60 },
    ...typed("streamableHttp"),
  }),
  plain("roo-code", `.config/Code/${ROO}`, {
    tabs: true,
    stdio: { alwaysAllow: [] },
    ...typed("streamable-http"),
  }),
  claudeLike("zed", ".config/zed/settings.json", {
    at: ["context_servers"],
    comments: true,
    stdio: { source: "custom", enabled: true },
    around: { theme: "One Dark" },
  }),
  codex,
  plain("gemini-cli", ".gemini/settings.json", { url: "httpUrl", stdio: { trust: false }, comments: true }),
  plain("antigravity", ".gemini/config/mcp_config.json", { url: "serverUrl" }),
  plain("lm-studio", ".lmstudio/mcp.json"),
  plain("kiro", ".kiro/settings/mcp.json", { stdio: { disabled: false, autoApprove: [] } }),
  plain("copilot-cli", ".copilot/mcp-config.json", {
    stdio: { type: "local", tools: ["*"] },
    remote: { type: "http", tools: ["*"] },
    type: ["type", "http"],
  }),
  claudeLike("copilot-jetbrains", ".config/github-copilot/intellij/mcp.json", {
    at: ["servers"],
    headers: ["requestInit", "headers"],
  }),
  goose,
  continueDev,
  openCodeLike("opencode", ".config/opencode/opencode.jsonc"),
  openCodeLike("kilo-code", ".config/kilo/kilo.jsonc"),
  plain("warp", ".warp/.mcp.json", { stdio: { working_directory: "/" } }),
  claudeLike("amp", ".config/amp/settings.json", { at: ["amp.mcpServers"], comments: true }),
  plain("junie", ".junie/mcp/mcp.json"),
  {
    ...claudeLike("visual-studio", ".vs/mcp.json", {
      at: ["servers"],
      stdio: { type: "stdio" },
      ...typed("http"),
    }),
    project: true,
  },
  plain("trae", ".config/Trae/User/mcp.json", { stdio: { fromGalleryId: "x.y" } }),
  plain("jan", ".local/share/Jan/data/mcp_config.json", {
    stdio: { active: true },
    ...typed("http"),
    around: { mcpSettings: { toolCallTimeoutSeconds: 30 } },
  }),
  claudeLike("crush", ".config/crush/crush.json", {
    at: ["mcp"],
    stdio: { type: "stdio" },
    ...typed("http"),
  }),
  plain("qwen-code", ".qwen/settings.json", { url: "httpUrl", comments: true }),
  vibe,
];
