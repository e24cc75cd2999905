import { expect, test } from "vitest";
import { layout } from "./layout";
import { partsOf, pointers } from "./parts";

const CALL = JSON.stringify({
  jsonrpc: "2.0",
  id: 7,
  method: "tools/call",
  params: {
    name: "send",
    arguments: { to: "a@b.example", body: "one\ntwo secret", "x/y": { deep: [1, "two"] }, none: null },
  },
});

test("each argument is a part of its own, strings without their quotes", () => {
  const laid = layout(CALL);
  const at = laid.text.indexOf("secret");
  const parts = partsOf(CALL, laid, [{ start: at, end: at + 6 }], "to_upstream");
  expect(parts.map((part) => part.label)).toEqual(["to", "body", "x/y", "none"]);
  expect(parts[0]?.text).toBe("a@b.example");
  expect(parts[1]?.text).toBe("one\ntwo secret");
  expect(parts[1]?.marks).toEqual([{ start: 8, end: 14 }]);
  expect(parts.map((part) => part.marked)).toEqual([false, true, false, false]);
  expect(JSON.parse(parts[2]?.text ?? "")).toEqual({ deep: [1, "two"] });
  expect(parts[3]?.text).toBe("null");
});

test("an answer's pieces are its texts; a piece without text is shown as it is", () => {
  const raw = JSON.stringify({
    result: {
      content: [
        { type: "text", text: "hello" },
        { type: "image", data: "AA" },
      ],
    },
  });
  const parts = partsOf(raw, layout(raw), [], "to_client");
  expect(parts.map((part) => part.label)).toEqual(["text", "image"]);
  expect(parts[0]?.text).toBe("hello");
  expect(JSON.parse(parts[1]?.text ?? "")).toEqual({ type: "image", data: "AA" });
});

test("without arguments the params are the parts; what cannot be read has none", () => {
  const raw = '{"method":"resources/read","params":{"uri":"file:///etc/passwd"}}';
  expect(pointers(raw, "to_upstream")).toEqual([{ label: "uri", pointer: "/params/uri" }]);
  expect(pointers('{"method":"x"', "to_upstream")).toEqual([]);
  expect(pointers("[1]", "to_upstream")).toEqual([]);
});

test("a result without content is shown key by key", () => {
  expect(pointers('{"result":{"tools":[]}}', "to_client")).toEqual([
    { label: "tools", pointer: "/result/tools" },
  ]);
});
