import { expect, test } from "vitest";
import { rolesOf } from "./examples";

const FILE = `id = "x"
[where]
roles = ["argument_path"]

[[hit]]
role = "argument_path"
text = "/etc/shadow"

[[hit]]
message = '{"jsonrpc":"2.0"}'

[[miss]]
text = "fine"
role = "result_text"
`;

test("each example has its own role, a whole Message has none", () => {
  expect(rolesOf(FILE, "hit")).toEqual(["argument_path", null]);
  expect(rolesOf(FILE, "miss")).toEqual(["result_text"]);
  expect(rolesOf("", "hit")).toEqual([]);
});
