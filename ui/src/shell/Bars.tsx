// Bars on top of every page: engine away, paused, and problems that touch protection.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { connection, write } from "../api/client";
import { useAsks, usePins, useStatus } from "../api/queries";
import { useKeepFocus } from "../lib/focus";
import { useNow, useWritable } from "../lib/hooks";
import { useRoute } from "../lib/route";
import { useStore } from "../lib/store";
import { clock, clockSeconds } from "../lib/time";
import { secondsLeft } from "../pages/ask/AskHead";
import { Harm } from "../pages/ask/Harm";
import { Button, ButtonLink } from "../parts/controls";
import { Icon } from "../parts/Icon";
import { text } from "../text";
import type { Ask } from "../types";
import { LoosenedBars } from "./LoosenedBar";

export function Bars() {
  const status = useStatus().data;
  const { down } = useStore(connection);
  const keepFocus = useKeepFocus("#main");
  return (
    <div {...keepFocus}>
      {down !== null && (
        <div className="bar down" role="alert">
          <Icon name="triangle" />
          <span>
            {text.bars.unreachable} {text.bars.start} <code>portcullis serve</code>.{" "}
            <span className="muted num">{text.bars.asOf(clockSeconds(down))}</span>
          </span>
        </div>
      )}
      {/* What the engine said last is no news of one that is gone. */}
      {down === null && <AskBar />}
      <HeldBar />
      {status?.protection.state === "paused" && <PausedBar until={status.protection.until} />}
      <LoosenedBars />
      {(down === null ? (status?.problems ?? []) : []).map((problem) => (
        <div className="bar" key={problem} role="status">
          <Icon name="triangle" />
          <span className="grow">{problem}</span>
        </div>
      ))}
    </div>
  );
}

/** On every page but the questions' own: the one with the least time left. */
function AskBar() {
  const { page } = useRoute();
  const ask = useAsks().data?.waiting[0];
  if (!ask || page === "ask") return null;
  return (
    <div className="bar askbar" role="status">
      <Icon name="ask" />
      <AskLeft ask={ask} />
      <ButtonLink small look="solid" to={{ page: "ask", open: ask.id }}>
        {text.ask.look}
      </ButtonLink>
    </div>
  );
}

function AskLeft({ ask }: { ask: Ask }) {
  const left = secondsLeft(ask, useNow(1000));
  return (
    <span className="grow num">
      <b>
        <Harm ask={ask} />.
      </b>{" "}
      {/* The seconds would be read out one by one. */}
      <span aria-hidden="true">{text.ask.seconds(left)}</span>
    </span>
  );
}

/** What is kept from an app is said where the person is. */
function HeldBar() {
  const { page } = useRoute();
  const held = usePins("review", null).data?.held ?? 0;
  if (held === 0 || page === "pins") return null;
  return (
    <div className="bar" role="status">
      <Icon name="block" />
      <span className="grow">{text.pins.bar(held)}</span>
      <ButtonLink small to={{ page: "pins" }}>
        {text.pins.review}
      </ButtonLink>
    </div>
  );
}

function PausedBar({ until }: { until: number | null }) {
  const resume = useResume();
  const writable = useWritable();
  return (
    <div className="bar" role="status">
      <Icon name="pause" />
      <span className="grow">{text.bars.paused(until === null ? null : clock(until))}</span>
      <Button small off={!writable || resume.isPending} onClick={() => resume.mutate()}>
        {text.bars.resume}
      </Button>
    </div>
  );
}

export function useResume() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => write("POST", "/api/resume"),
    onSettled: () => client.invalidateQueries({ queryKey: ["status"] }),
  });
}
