// Byte offsets of the raw Message (UTF-8, as the engine counts) to offsets in a JavaScript string (UTF-16). Pure.
import type { Span } from "../types";

const utf8Length = (point: number) => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);

/** A byte offset in the middle of a character counts as its start; one past the end gives null. */
export function byteToIndex(text: string, byte: number): number | null {
  let bytes = 0;
  let index = 0;
  while (index < text.length) {
    const point = text.codePointAt(index) ?? 0;
    const length = utf8Length(point);
    if (bytes + length > byte) return index;
    bytes += length;
    index += point > 0xffff ? 2 : 1;
  }
  return bytes === byte ? index : null;
}

export function spanToRange(text: string, span: Span): { start: number; end: number } | null {
  const start = byteToIndex(text, span.start);
  const end = byteToIndex(text, span.end);
  return start === null || end === null || end <= start ? null : { start, end };
}

export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += utf8Length(character.codePointAt(0) ?? 0);
  return bytes;
}
