// The part of the catalogue about optional judges; `index.ts` takes it in.
import type { JudgeName, JudgeScope, ModelStyle } from "../types";
import { number } from "./words";

export const judgesText = {
  title: "Judges",
  lead: "A second opinion, off by default and never needed. A judge is asked after a message went on, so it stops nothing: it can only add an Alert.",
  name: { model: "Language model", onnx: "Classifier in a file" } satisfies Record<JudgeName, string>,
  never: {
    model: "A model on this computer or at an address of yours, with OpenAI's or Ollama's interface.",
    onnx: "An ONNX file of yours, read on this computer by a program of its own.",
  } satisfies Record<JudgeName, string>,
  set: "Set up…",
  edit: "Change…",
  test: "Test",
  testing: "Testing",
  on: (name: string) => `Use the judge: ${name}`,
  what: { grey: "what is doubtful or nearly", all: "everything that goes through" } satisfies Record<
    JudgeScope,
    string
  >,
  sends: (what: string, perDay: number) =>
    `Texts of ${what}, secrets masked, at most ${number(perDay)} a day, go to `,
  reads: (what: string, perDay: number) => `Texts of ${what}, at most ${number(perDay)} a day, are read by `,
  model: (model: string) => ` (${model}).`,
  key: { none: "No key.", env: "Key in the variable ", file: "Key in the file " },
  counts: (c: {
    today: number;
    asked: number;
    doubtful: number;
    fine: number;
    none: number;
    missed: number;
  }) =>
    (c.asked === 0
      ? "Not asked since the start."
      : `${number(c.today)} asked today. Since the start: ${number(c.asked)} asked, ${number(c.doubtful)} doubtful, ${number(c.fine)} fine, ${number(c.none)} without a usable answer.`) +
    (c.missed > 0 ? ` ${number(c.missed)} not asked, over the limit.` : ""),
  sample: { hostile: "A hostile text of ours", ordinary: "An ordinary text of ours" },
  percent: (percent: number, ms: number) => `${number(percent)} % doubtful, ${number(ms)} ms`,
  noOpinion: (why: string) => `no opinion: ${why}`,
  form: {
    style: "Interface",
    styles: { openai: "OpenAI-compatible", ollama: "Ollama" } satisfies Record<ModelStyle, string>,
    url: "Address",
    urlMore: "https, or http on this computer. Without the path of a call.",
    model: "Model",
    file: "File",
    fileMore:
      "The whole path. The model takes one row of hashed word counts and answers with one number, or with two: ordinary and hostile.",
    keyIn: "Key",
    keys: { none: "none", env: "in a variable", file: "in a file" },
    keyEnv: "Name of the variable",
    keyFile: "Whole path of the file",
    keyMore: "Portcullis reads the key where it lies and never stores it.",
    scope: "Asked about",
    scopes: { grey: "what is doubtful or nearly", all: "everything" } satisfies Record<JudgeScope, string>,
    timeout: "Waits at most",
    timeoutUnit: "s",
    perDay: "At most",
    perDayUnit: "a day",
    threshold: "An Alert from",
    thresholdUnit: "%",
    save: "Save and switch on",
    saveOff: "Save, leave it off",
    cancel: "Cancel",
    leaves: (host: string) => `Once it is on, texts of your messages leave for ${host}.`,
    stays: "Nothing leaves this computer.",
  },
};
