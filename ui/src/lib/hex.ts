// A text as its UTF-8 bytes, sixteen a line, with the bytes that matched. Pure.
import type { Layout } from "./layout";
import type { Mark } from "./marks";
import { byteLength } from "./spans";

export type HexCell = { hex: string; ascii: string; marked: boolean };
export type HexLine = { offset: string; cells: HexCell[] };
export const LINE_BYTES = 16;

/** Lines `from` up to `until` of the dump. */
export function hexLines(bytes: Uint8Array, marks: Mark[], from: number, until: number): HexLine[] {
  const lines: HexLine[] = [];
  const last = Math.min(until, lineCount(bytes));
  for (let line = Math.max(0, from); line < last; line++) {
    const start = line * LINE_BYTES;
    const cells = Array.from(bytes.subarray(start, start + LINE_BYTES), (byte, i) => ({
      hex: byte.toString(16).padStart(2, "0"),
      ascii: byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·",
      marked: marks.some((mark) => mark.start <= start + i && start + i < mark.end),
    }));
    lines.push({ offset: start.toString(16).padStart(6, "0"), cells });
  }
  return lines;
}

export const lineCount = (bytes: Uint8Array) => Math.ceil(bytes.length / LINE_BYTES);

/** A range of the laid-out text as a range of bytes of the raw one. */
export function toBytes(raw: string, laid: Layout, mark: Mark): Mark {
  const start = firstAt(laid.fromRaw, mark.start);
  const end = firstAt(laid.fromRaw, mark.end);
  return { start: byteLength(raw.slice(0, start)), end: byteLength(raw.slice(0, end)) };
}

/** The first raw offset whose laid-out offset is at least `shown`; offsets only rise. */
function firstAt(fromRaw: Uint32Array, shown: number): number {
  let low = 0;
  let high = fromRaw.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fromRaw[middle] ?? 0) < shown) low = middle + 1;
    else high = middle;
  }
  return low;
}
