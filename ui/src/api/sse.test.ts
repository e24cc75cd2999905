import { expect, test } from "vitest";
import { SseParser } from "./sse";

const all = (pieces: string[]) => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

test("gives whole payloads, however the bytes are cut", () => {
  const stream = ': keep-alive\n\nevent: x\ndata: {"a":1}\n\ndata:{"b":2}\n\n';
  const wanted = ['{"a":1}', '{"b":2}'];
  expect(all([stream])).toEqual(wanted);
  expect(all(Array.from(stream))).toEqual(wanted);
});
test("joins several data lines", () => {
  expect(all(["data: one\ndata: two\ndata\n\n"])).toEqual(["one\ntwo\n"]);
});
test("takes all three line ends, also cut in the middle of CRLF", () => {
  expect(all(["data: a\r", "\n\r", "\ndata: b\r\rdata: c\n\n"])).toEqual(["a", "b", "c"]);
});
test("comments and other fields are no payload", () => {
  expect(all([":\n\nid: 7\nretry: 10\n\n"])).toEqual([]);
});
test("an unfinished event is not given", () => {
  expect(all(["data: {"])).toEqual([]);
});
