// Which Decisions would change anything for an Exchange like this one. What the engine would refuse, or take and never
// use, is not offered. Pure.
import type { Exchange } from "../types";
import { sideOf } from "./marks";
import { strongestFirst } from "./session";

type Facts = Pick<Exchange, "app" | "direction" | "method" | "notification" | "findings" | "verdict">;

const GREETINGS = ["initialize", "ping", "server/discover", "logging/setLevel"];
/** Their answers are held; those of all others are not. */
const CONTENT = ["tools/call", "resources/read", "prompts/get", "tasks/result", "tasks/get"];

/** `allow`: an exception; `deny`: to be blocked from now on. */
export function decidable(exchange: Facts): { allow: boolean; deny: boolean } {
  const strongest = strongestFirst(exchange.findings)[0];
  const held =
    strongest !== undefined &&
    exchange.app !== "drill" &&
    exchange.direction === "to_upstream" &&
    !exchange.notification &&
    (sideOf(strongest) === "response"
      ? CONTENT.includes(exchange.method)
      : !GREETINGS.includes(exchange.method) && !exchange.method.endsWith("/list"));
  const stopped = exchange.verdict === "ask" || exchange.verdict === "block";
  return { allow: held && stopped, deny: held && exchange.verdict !== "block" };
}
