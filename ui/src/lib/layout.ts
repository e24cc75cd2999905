// Lays a JSON Message out for reading: indented, strings unescaped, and every character still knows where in the raw
// text it came from, so that a matched span can be marked. Never fails: a capped or broken Message is laid out as far
// as it can be understood. Pure; the result is text, never markup.

export type TokenKind = "space" | "punctuation" | "key" | "string" | "literal";
/** `start` and `end` are offsets in `Layout.text`; `path` is the JSON pointer of the value the token belongs to. */
export type Token = { kind: TokenKind; start: number; end: number; path: string };
export type Layout = {
  text: string;
  tokens: Token[];
  /** Raw offset to laid-out offset, one more than the raw text is long. */
  fromRaw: Uint32Array;
};

type Frame = { array: boolean; index: number; key: string; empty: boolean };
const ESCAPES: Record<string, string> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  '"': '"',
  "\\": "\\",
  "/": "/",
};
const pointer = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");

export function layout(raw: string): Layout {
  return new Layouter(raw).run();
}

/** A raw range in the laid-out text, without the spaces that layout put behind it. */
export function toShown(laid: Layout, start: number, end: number): { start: number; end: number } {
  const from = laid.fromRaw[start] ?? 0;
  let until = laid.fromRaw[end] ?? laid.text.length;
  for (const token of laid.tokens) if (token.kind === "space" && token.end === until) until = token.start;
  return { start: from, end: Math.max(from, until) };
}

class Layouter {
  readonly #raw: string;
  readonly #fromRaw: Uint32Array;
  readonly #tokens: Token[] = [];
  readonly #stack: Frame[] = [];
  readonly #paths: string[] = [""];
  #out: string[] = [];
  #length = 0;
  #at = 0;
  #afterColon = false;

  constructor(raw: string) {
    this.#raw = raw;
    this.#fromRaw = new Uint32Array(raw.length + 1);
  }

  run(): Layout {
    while (this.#at < this.#raw.length) this.#step();
    this.#fromRaw[this.#raw.length] = this.#length;
    return { text: this.#out.join(""), tokens: this.#tokens, fromRaw: this.#fromRaw };
  }

  #step() {
    const character = this.#raw[this.#at] ?? "";
    const top = this.#stack.at(-1);
    if (character === " " || character === "\n" || character === "\t" || character === "\r") this.#skip();
    else if (character === "{" || character === "[") this.#open(character);
    else if (character === "}" || character === "]") this.#close(character);
    else if (character === ",") {
      this.#copy("punctuation", 1);
      if (top) {
        top.index += 1;
        this.#newLine();
      }
      this.#afterColon = false;
    } else if (character === ":") {
      this.#copy("punctuation", 1);
      this.#emit("space", " ");
      this.#afterColon = true;
    } else if (character === '"') this.#string(top);
    else this.#literal();
  }

  #path(): string {
    const top = this.#stack.at(-1);
    const base = this.#paths.at(-1) ?? "";
    if (!top) return base;
    return `${base}/${top.array ? top.index : pointer(top.key)}`;
  }

  #open(character: string) {
    this.#value();
    const path = this.#path();
    this.#copy("punctuation", 1);
    this.#paths.push(path);
    this.#stack.push({ array: character === "[", index: 0, key: "", empty: true });
    this.#afterColon = false;
  }

  #close(_character: string) {
    const frame = this.#stack.pop();
    if (this.#paths.length > 1) this.#paths.pop();
    if (frame && !frame.empty) this.#newLine();
    this.#copy("punctuation", 1);
    this.#afterColon = false;
  }

  /** A first value or key in its container goes on a line of its own. */
  #value() {
    const top = this.#stack.at(-1);
    if (top?.empty) {
      top.empty = false;
      this.#newLine();
    }
  }

  #string(top: Frame | undefined) {
    this.#value();
    const isKey = top !== undefined && !top.array && !this.#afterColon;
    const start = this.#length;
    const decoded = this.#copyString();
    if (isKey && top) top.key = decoded;
    this.#tokens.push({ kind: isKey ? "key" : "string", start, end: this.#length, path: this.#path() });
    if (!isKey) this.#afterColon = false;
  }

  #copyString(): string {
    const from = this.#length;
    const parts: string[] = [];
    this.#map(1, '"', parts);
    while (this.#at < this.#raw.length) {
      const character = this.#raw[this.#at] ?? "";
      if (character === '"') {
        this.#map(1, '"', parts);
        break;
      }
      if (character === "\\") this.#map(...this.#escape(), parts);
      else this.#map(1, character, parts);
    }
    const shown = parts.join("");
    this.#out.push(shown);
    this.#length = from + shown.length;
    return shown.replace(/^"|"$/g, "");
  }

  #escape(): [number, string] {
    const next = this.#raw[this.#at + 1] ?? "";
    if (next === "u") {
      const digits = this.#raw.slice(this.#at + 2, this.#at + 6);
      return /^[0-9a-fA-F]{4}$/.test(digits)
        ? [6, String.fromCharCode(Number.parseInt(digits, 16))]
        : [1, "\\"];
    }
    const meant = ESCAPES[next];
    return meant === undefined ? [1, "\\"] : [2, meant];
  }

  #literal() {
    this.#value();
    const rest = /^[^\s{}[\],:"]+/.exec(this.#raw.slice(this.#at, this.#at + 400));
    const path = this.#path();
    this.#copy("literal", rest?.[0].length ?? 1, path);
    this.#afterColon = false;
  }

  #copy(kind: TokenKind, length: number, path = this.#path()) {
    const start = this.#length;
    const parts: string[] = [];
    const end = this.#at + length;
    while (this.#at < end) this.#map(1, this.#raw[this.#at] ?? "", parts);
    this.#out.push(parts.join(""));
    this.#tokens.push({ kind, start, end: this.#length, path });
  }

  /** Takes `rawLength` raw characters and shows them as `shown`. */
  #map(rawLength: number, shown: string, parts: string[]) {
    for (let i = 0; i < rawLength; i++) this.#fromRaw[this.#at + i] = this.#length;
    parts.push(shown);
    this.#at += rawLength;
    this.#length += shown.length;
  }

  #skip() {
    this.#fromRaw[this.#at] = this.#length;
    this.#at += 1;
  }

  #newLine() {
    this.#emit("space", `\n${"  ".repeat(Math.min(this.#stack.length, 12))}`);
  }

  #emit(kind: TokenKind, shown: string) {
    this.#out.push(shown);
    this.#tokens.push({ kind, start: this.#length, end: this.#length + shown.length, path: "" });
    this.#length += shown.length;
  }
}
