// What the person can do about a server that fails, and what it said last.
import { howItFailed } from "../../lib/failing";
import { Block } from "../../parts/Hostile";
import { text } from "../../text";
import type { App, Server } from "../../types";

export function FailingHelp({ app, server }: { app: App; server: Server }) {
  if (server.observed.state !== "failing") return null;
  const { said } = howItFailed(server.observed.reason);
  return (
    <div className="o small failinghelp">
      <p>{server.transport === "stdio" ? text.observed.startIt(app.name) : text.observed.reachIt}</p>
      {said !== null && (
        <details>
          <summary>{text.observed.saidLast}</summary>
          <Block value={said} />
        </details>
      )}
    </div>
  );
}
