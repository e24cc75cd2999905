// Finds characters that a person cannot see or that reorder what is seen, and letters that look like others. Pure:
// text in, pieces out; the pieces cover the text without a gap, so that spans can be laid over them.
import { cutMiddle } from "./cut";

export type Piece =
  | { kind: "text"; start: number; end: number }
  | { kind: "chip"; start: number; end: number; label: string; explains: string }
  | { kind: "lookalike"; start: number; end: number; explains: string };

// Short names, as `code point = name`; ranges (TAG, VS, C1, PRIVATE) are in `invisibleName`.
const NAMES = new Map(
  `ad=SHY 34f=CGJ 61c=ALM 115f=FILLER 1160=FILLER 17b4=AQ 17b5=AA 180e=MVS 200b=ZWSP 200c=ZWNJ 200d=ZWJ 200e=LRM
  200f=RLM 2028=LSEP 2029=PSEP 202a=LRE 202b=RLE 202c=PDF 202d=LRO 202e=RLO 2060=WJ 2061=APPLY 2062=TIMES
  2063=COMMA 2064=PLUS 2066=LRI 2067=RLI 2068=FSI 2069=PDI 206a=ISS 206b=ASS 206c=IAFS 206d=AAFS 206e=NADS
  206f=NODS 3164=FILLER feff=BOM ffa0=FILLER fff9=IAA fffa=IAS fffb=IAT fffc=OBJ`
    .split(/\s+/)
    .map((pair): [number, string] => [Number.parseInt(pair, 16), pair.slice(pair.indexOf("=") + 1)]),
);
const CONTROLS =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );
const PICTOGRAPH = /\p{Extended_Pictographic}/u;
// Escape sequences of terminals: CSI … final byte, OSC … terminator, or two characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const ANSI = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]{0,200}(?:\u0007|\u001b\\)|[@-Z\\-_])/;

export const codePoint = (point: number) => `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;

/** The short name of an invisible character, or null for one that can be seen. */
export function invisibleName(point: number): string | null {
  if (point === 0x0a || point === 0x09) return null;
  if (point < 0x20) return CONTROLS[point] ?? "CTRL";
  if (point === 0x7f) return "DEL";
  if (point >= 0x80 && point <= 0x9f) return "C1";
  if (point >= 0xd800 && point <= 0xdfff) return "LONE SURROGATE";
  if (point >= 0xe0000 && point <= 0xe007f) return "TAG";
  if ((point >= 0xfe00 && point <= 0xfe0f) || (point >= 0xe0100 && point <= 0xe01ef)) return "VS";
  if ((point >= 0xe000 && point <= 0xf8ff) || point >= 0xf0000) return "PRIVATE";
  return NAMES.get(point) ?? null;
}

/** Joiners and selectors inside one emoji are how emoji are written, not a hiding place. */
function partOfEmoji(text: string, at: number, point: number): boolean {
  if (point !== 0xfe0f && point !== 0x200d) return false;
  const before = Array.from(text.slice(Math.max(0, at - 4), at)).at(-1) ?? "";
  const after = String.fromCodePoint(text.codePointAt(at + 1) ?? 0x20);
  if (point === 0x200d) return (PICTOGRAPH.test(before) || before === "\ufe0f") && PICTOGRAPH.test(after);
  return PICTOGRAPH.test(before) || /[0-9#*]/.test(before);
}

export function reveal(text: string): Piece[] {
  const pieces: Piece[] = [];
  const lookalikes = findLookalikes(text);
  let plainFrom = 0;
  let at = 0;
  const flush = (until: number) => {
    if (until > plainFrom) pieces.push({ kind: "text", start: plainFrom, end: until });
  };
  while (at < text.length) {
    const point = text.codePointAt(at) ?? 0;
    const size = point > 0xffff ? 2 : 1;
    const lookalike = lookalikes.get(at);
    const chip = point === 0x1b ? ansi(text, at) : null;
    const name = invisibleName(point);
    if (chip !== null) {
      flush(at);
      pieces.push(chip);
      at = chip.end;
      plainFrom = at;
    } else if (name !== null && !partOfEmoji(text, at, point)) {
      flush(at);
      const piece = run(text, at, point, name);
      pieces.push(piece);
      at = piece.end;
      plainFrom = at;
    } else if (lookalike !== undefined) {
      flush(at);
      pieces.push({ kind: "lookalike", start: at, end: at + size, explains: lookalike });
      at += size;
      plainFrom = at;
    } else at += size;
  }
  flush(text.length);
  return pieces;
}

/** Runs of one kind become one chip with a count: `142 × TAG U+E0041…`. */
function run(text: string, start: number, first: number, name: string): Extract<Piece, { kind: "chip" }> {
  const wide = name === "TAG" || name === "VS" || name === "PRIVATE";
  let end = start;
  let count = 0;
  while (end < text.length) {
    const point = text.codePointAt(end) ?? 0;
    if (wide ? invisibleName(point) !== name : point !== first) break;
    end += point > 0xffff ? 2 : 1;
    count += 1;
  }
  const label = `${count > 1 ? `${count} × ` : ""}${name} ${codePoint(first)}${wide && count > 1 ? "…" : ""}`;
  return { kind: "chip", start, end, label, explains: `${count} invisible: ${name} ${codePoint(first)}` };
}

function ansi(text: string, at: number): Extract<Piece, { kind: "chip" }> | null {
  const sequence = ANSI.exec(text.slice(at, at + 256))?.[0];
  if (sequence === undefined) return null;
  const body = Array.from(sequence.slice(1))
    .filter((character) => invisibleName(character.codePointAt(0) ?? 0) === null)
    .join("");
  const hides = /^\[(?:\d+;)*8(?:;\d+)*m$/.test(body);
  return {
    kind: "chip",
    start: at,
    end: at + sequence.length,
    label: `ESC${body}`,
    explains: hides ? "hides text in a terminal" : "a terminal control sequence",
  };
}

/** Cyrillic or Greek letters inside a word that also has Latin ones: offset to explanation. */
function findLookalikes(text: string): Map<number, string> {
  const found = new Map<number, string>();
  if (!/[\u0370-\u04ff]/.test(text)) return found;
  for (const word of text.matchAll(/\p{L}+/gu)) {
    if (!/\p{Script=Latin}/u.test(word[0]) || !/[\u0370-\u04ff]/.test(word[0])) continue;
    for (let i = 0; i < word[0].length; i++) {
      const letter = word[0][i] ?? "";
      const script = /\p{Script=Cyrillic}/u.test(letter)
        ? "Cyrillic"
        : /\p{Script=Greek}/u.test(letter)
          ? "Greek"
          : null;
      if (script) found.set(word.index + i, `${script} ${letter}, ${codePoint(letter.codePointAt(0) ?? 0)}`);
    }
  }
  return found;
}

/** The visible form: what is left when everything invisible is taken out. */
export function visible(text: string): string {
  return reveal(text)
    .filter((piece) => piece.kind !== "chip")
    .map((piece) => text.slice(piece.start, piece.end))
    .join("");
}

/** For attributes (`title`, `aria-label`), where no chip can be drawn: `gpj⟨RLO U+202E⟩`. */
export function spelled(text: string): string {
  return reveal(text)
    .map((piece) => (piece.kind === "chip" ? `⟨${piece.label}⟩` : text.slice(piece.start, piece.end)))
    .join("");
}

/** A name for labels and lists that hold text alone: cut as everywhere, invisible characters spelled out. */
export const plainName = (name: string): string => spelled(cutMiddle(name));
