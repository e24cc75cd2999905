// What of a Message a person has to read: each argument of a call, each piece of an answer, as a range of the laid-out
// text. Envelope and ids stay in the raw view. Pure.
import type { Direction } from "../types";
import type { Layout, Token } from "./layout";
import type { Mark } from "./marks";

export type Part = { label: string; text: string; tokens: Token[]; marks: Mark[]; marked: boolean };

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const pointerPart = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");

/** JSON pointers with a label each, outermost parts that a person would name. Empty: the Message cannot be read. */
export function pointers(raw: string, direction: Direction): { label: string; pointer: string }[] {
  let message: Json;
  try {
    message = JSON.parse(raw) as Json;
  } catch {
    return [];
  }
  if (!isObject(message)) return [];
  const { params, result } = message;
  if (direction === "to_client" && isObject(result)) {
    const list = Array.isArray(result.content)
      ? "content"
      : Array.isArray(result.contents)
        ? "contents"
        : null;
    if (list === null) return keysOf(result, "/result");
    return (result[list] as Json[]).map((item, i) => {
      const textual = isObject(item) && typeof item.text === "string";
      const label = isObject(item) && typeof item.type === "string" ? item.type : String(i + 1);
      return { label, pointer: `/result/${list}/${i}${textual ? "/text" : ""}` };
    });
  }
  if (!isObject(params)) return [];
  return isObject(params.arguments)
    ? keysOf(params.arguments, "/params/arguments")
    : keysOf(params, "/params");
}

const keysOf = (value: { [key: string]: Json }, base: string) =>
  Object.keys(value).map((key) => ({ label: key, pointer: `${base}/${pointerPart(key)}` }));

/** The colon before a value and the comma after it have its path, too. */
const separates = (laid: Layout, token: Token) =>
  token.kind === "punctuation" && /^[:,]$/.test(laid.text.slice(token.start, token.end));

/** `marks` are ranges of the whole laid-out text; each part gets those that touch it. */
export function partsOf(raw: string, laid: Layout, marks: Mark[], direction: Direction): Part[] {
  return pointers(raw, direction).flatMap(({ label, pointer }) => {
    const own = laid.tokens.filter(
      (token) =>
        token.kind !== "key" &&
        (token.path === pointer ? !separates(laid, token) : token.path.startsWith(`${pointer}/`)),
    );
    const first = own[0];
    if (!first) return [];
    let start = first.start;
    let end = Math.max(...own.map((token) => token.end));
    const quoted = own.length === 1 && first.kind === "string";
    if (quoted) {
      start += 1;
      end -= 1;
    }
    const inside = <T extends Mark>(one: T): T[] =>
      one.start < end && one.end > start
        ? [{ ...one, start: Math.max(one.start, start) - start, end: Math.min(one.end, end) - start }]
        : [];
    const here = marks.flatMap(inside);
    const text = laid.text.slice(start, end);
    return [{ label, text, tokens: laid.tokens.flatMap(inside), marks: here, marked: here.length > 0 }];
  });
}
