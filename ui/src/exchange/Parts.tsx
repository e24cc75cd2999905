// Request and response of an Exchange, with the line that says what is not there.
import { type ReactNode, useState } from "react";
import { useKeys } from "../lib/keys";
import type { Side } from "../lib/marks";
import { sideOf } from "../lib/marks";
import { reveal } from "../lib/reveal";
import { byteLength } from "../lib/spans";
import { bytes } from "../lib/time";
import { text } from "../text";
import type { Exchange } from "../types";
import { MessageText, type View } from "./MessageText";

type Props = { exchange: Exchange; side: Side; around?: number; unfolded?: number; seek?: boolean };

const NEXT: Record<View, View> = { revealed: "readable", readable: "bytes", bytes: "revealed" };

export function MessagePart({ exchange, side, around = 6, unfolded = 120, seek = false }: Props): ReactNode {
  const raw = side === "request" ? exchange.request : exchange.response;
  const all = side === "request" ? exchange.request_bytes : exchange.response_bytes;
  // Revealed is where one starts when a Finding touches the text or something in it cannot be seen.
  const touched = exchange.findings.some((finding) => sideOf(finding) === side);
  const [chosen, setChosen] = useState<View | null>(null);
  const view = chosen ?? (touched || hasChips(raw) ? "revealed" : "readable");
  useKeys({ v: () => setChosen(NEXT[view]) });
  if (raw === null || raw === "") return <p className="muted small">{absent(exchange)}</p>;
  const kept = byteLength(raw);
  const byApp = (exchange.direction === "to_upstream") === (side === "request");
  return (
    <>
      <MessageText
        raw={raw}
        side={side}
        findings={exchange.findings}
        heading={byApp ? text.detail.asApp : text.detail.asServer}
        view={view}
        onView={setChosen}
        around={around}
        unfolded={unfolded}
        seek={seek}
      />
      {kept < all && <p className="tiny faint">{text.detail.capped(bytes(kept), bytes(all))}</p>}
    </>
  );
}

const hasChips = (raw: string | null) => raw !== null && reveal(raw).some((piece) => piece.kind === "chip");

function absent(exchange: Exchange): string {
  if (exchange.notification) return text.detail.isNotification;
  if (exchange.outcome === "rejected") return text.detail.neverSent;
  return exchange.duration_us === null && exchange.outcome === "forwarded"
    ? text.detail.noResponseYet
    : text.detail.noResponse;
}
