// The only code that calls `/api`: adds the bearer token, turns error answers into ApiFailure, notices a missing engine.
import { createStore } from "../lib/store";
import { text } from "../text";
import type { ApiError, PairAnswer } from "../types";

const TOKEN_KEY = "portcullis.token";

/** `code` is what the UI switches on; `unreachable` and `odd_answer` are made here, all others by the engine. */
export class ApiFailure extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const auth = createStore<{ token: string | null }>({ token: localStorage.getItem(TOKEN_KEY) });
/** `down` is the time since when the engine does not answer. */
export const connection = createStore<{ down: number | null }>({ down: null });

export function setToken(token: string | null) {
  if (token === null) localStorage.removeItem(TOKEN_KEY);
  else localStorage.setItem(TOKEN_KEY, token);
  auth.set({ token });
}

/** Another page of this browser was paired or forgotten. */
export function followOtherPages() {
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === TOKEN_KEY) auth.set({ token: newValue });
  });
}

export function markDown() {
  if (connection.get().down === null) connection.set({ down: Date.now() });
}
export function markUp() {
  if (connection.get().down !== null) connection.set({ down: null });
}

/** One request; the answer is the caller's to read. Throws ApiFailure for everything that is not 2xx. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const used = auth.get().token;
  const headers = new Headers(init.headers);
  if (used !== null) headers.set("Authorization", `Bearer ${used}`);
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, headers, credentials: "omit", cache: "no-store" });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    markDown();
    throw new ApiFailure("unreachable", text.errors.unreachable, 0);
  }
  if (answer.ok) return answer;
  // A token that was replaced while this request ran says nothing about the new one.
  if (answer.status === 401 && path !== "/api/pair" && auth.get().token === used) setToken(null);
  throw await failureOf(answer);
}

async function failureOf(answer: Response): Promise<ApiFailure> {
  const body: unknown = await answer.json().catch(() => null);
  if (typeof body === "object" && body !== null && "code" in body && "message" in body) {
    const error = body as ApiError;
    return new ApiFailure(String(error.code), String(error.message), answer.status);
  }
  return new ApiFailure("odd_answer", text.errors.odd(answer.status), answer.status);
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await send(path, { signal });
  markUp();
  return (await answer.json()) as T;
}

/** A change that follows a request of this page this closely is taken for its own. */
const OWN_MS = 1500;
let writing = 0;
let wroteAt = Number.NEGATIVE_INFINITY;
export const wroteJustNow = () => writing > 0 || performance.now() - wroteAt < OWN_MS;

/** A writing request; an empty answer (204) gives undefined. */
export async function write<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  writing += 1;
  try {
    return await writeNow<T>(method, path, body);
  } finally {
    writing -= 1;
    wroteAt = performance.now();
  }
}

async function writeNow<T>(method: string, path: string, body: unknown): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const answer = await send(path, init);
  const answerText = await answer.text();
  return (answerText === "" ? undefined : JSON.parse(answerText)) as T;
}

export async function pair(code: string): Promise<void> {
  const answer = await write<PairAnswer>("POST", "/api/pair", { code: code.trim() });
  setToken(answer.token);
}
