import { expect, test } from "vitest";
import { awayHost } from "./away";

test("only this very computer counts as here", () => {
  for (const here of ["http://127.0.0.1:11434", "http://localhost:1/v1", "http://[::1]:8"])
    expect(awayHost(here), here).toBeNull();
  for (const none of ["", "no address"]) expect(awayHost(none), none).toBeUndefined();
  expect(awayHost("https://models.example/v1")).toBe("models.example");
  expect(awayHost("http://127.0.0.1.models.example")).toBe("127.0.0.1.models.example");
  expect(awayHost("http://10.0.0.1")).toBe("10.0.0.1");
});
