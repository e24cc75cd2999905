// Settings that reach beyond the page, with the real engine: a judge set up at an endpoint (here a small server that speaks
// OpenAI's interface), and an app that is left to sign in to a server itself.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { App, JudgeList } from "../../ui/src/types";
import { until } from "./browser";
import { picture, settled, tooWide } from "./look";
import { CURSOR_CONFIG, protectCursor, realStage, startOwn } from "./real";

let model: Server;
const asked: string[] = [];
beforeAll(async () => {
  model = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on("end", () => {
      asked.push(body);
      const hostile_percent = body.includes("Ignore all previous instructions") ? 93 : 4;
      const content = JSON.stringify({ hostile_percent, category: "injection", reason: "gives orders" });
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content } }] }));
    });
  });
  await new Promise<void>((resolve) => model.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void model?.close());

const { go, api } = realStage(() => startOwn({ cursor: CURSOR_CONFIG }));
const judge = async () =>
  (await api<JudgeList>("GET", "/api/judges")).judges.find((one) => one.name === "model")?.settings ?? null;

test("a judge: says where texts would go before it is on, is refused with a reason, works, is switched off", async () => {
  const page = await go("/settings");
  const section = page.getByRole("region", { name: "Language model" });
  await section.getByRole("button", { name: "Set up…" }).click();
  await section.getByText("Nothing leaves this computer.").waitFor();
  await section.getByLabel("Interface").selectOption("OpenAI-compatible");
  await section.getByLabel("Address").fill("http://models.example/v1");
  await section.getByText("texts of your messages leave for models.example.").waitFor();
  await section.getByLabel("Model", { exact: true }).fill("small-one");
  await picture(page, "real-judge-form");
  expect(await judge()).toBeNull();
  await section.getByRole("button", { name: "Save and switch on" }).click();
  await section.getByText("the address must be https, or http on this very machine").waitFor();
  expect(await judge()).toBeNull();

  const { port } = model.address() as AddressInfo;
  await section.getByLabel("Address").fill(`http://127.0.0.1:${port}/v1`);
  await section.getByText("Nothing leaves this computer.").waitFor();
  await section.getByRole("spinbutton", { name: "At most a day" }).fill("50");
  await section.getByRole("button", { name: "Save and switch on" }).click();
  const toggle = section.getByRole("switch", { name: "Use the judge: Language model" });
  await toggle.waitFor();
  await expect.poll(() => toggle.getAttribute("aria-checked")).toBe("true");
  expect(await judge()).toMatchObject({
    enabled: true,
    scope: "grey",
    most_per_day: 50,
    kind: {
      kind: "model",
      style: "openai",
      url: `http://127.0.0.1:${port}/v1`,
      model: "small-one",
      key: null,
    },
  });
  await section
    .getByText("Texts of what is doubtful or nearly, secrets masked, at most 50 a day, go to")
    .waitFor();

  await section.getByRole("button", { name: "Test" }).click();
  await section.getByText("93 % doubtful").waitFor();
  await section.getByText("4 % doubtful").waitFor();
  expect(asked.length).toBe(2);
  await settled(page);
  await section.scrollIntoViewIfNeeded();
  await picture(page, "real-judge-on");

  await page.reload();
  await toggle.click();
  await until(async () => (await judge())?.enabled === false, "the engine knows that it is off");
  await expect.poll(() => toggle.getAttribute("aria-checked")).toBe("false");
  await until(async () => {
    const changes = await api<{ summary: string }[]>("GET", "/api/changes");
    return changes.some(({ summary }) => summary.includes("was switched off"));
  }, "the history says so");
});

test("a judge's form fits a phone", async () => {
  const page = await go("/settings", { width: 360, height: 900 });
  const section = page.getByRole("region", { name: "Classifier in a file" });
  await section.getByRole("button", { name: "Set up…" }).click();
  await section.getByLabel("File").fill(`/models/${"a-long-name-".repeat(20)}.onnx`);
  await section.scrollIntoViewIfNeeded();
  await picture(page, "real-judge-phone");
  expect(await tooWide(page)).toEqual([]);
  await section.getByRole("button", { name: "Save and switch on" }).click();
  // The first where the classifier's program was never built, the second where it was.
  await section.getByText(/portcullis-onnx is not installed|there is no file/).waitFor();
});

test("a server with a URL can be left to the app to sign in to, one that the app starts cannot", async () => {
  await protectCursor({ api });
  const apps = await api<App[]>("GET", "/api/apps");
  const servers = apps.find((app) => app.id === "cursor")?.files.flatMap((file) => file.servers) ?? [];
  const id = servers.find((server) => server.name === "docs")?.id;
  const page = await go("/apps");
  const toggle = page.getByRole("switch", { name: "Cursor signs in to docs itself" });
  await toggle.waitFor();
  expect(await page.getByRole("switch", { name: /signs in to notes itself/ }).count()).toBe(0);
  await expect.poll(() => toggle.getAttribute("aria-checked")).toBe("false");
  await page.getByText("Off: Portcullis signs in if the server asks, and the app sees no token.").waitFor();
  await toggle.click();
  await page.getByText("It holds the token. Servers that are strict about it refuse this.").waitFor();
  expect(await api("GET", "/api/sign-ins/own")).toEqual([id]);
  await settled(page);
  await picture(page, "real-own-sign-in");
  await page.reload();
  await toggle.waitFor();
  await expect.poll(() => toggle.getAttribute("aria-checked")).toBe("true");
  await toggle.click();
  await until(
    async () => (await api<string[]>("GET", "/api/sign-ins/own")).length === 0,
    "it was taken back",
  );
  expect(await tooWide(page)).toEqual([]);
});
