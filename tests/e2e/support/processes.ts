// Processes of a test: each is ended by its own pid, whatever happens.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

export interface Running {
  child: ChildProcess;
  /** Everything written to stdout and stderr so far. */
  output: () => string;
  /** Waits until the output matches. */
  says: (pattern: RegExp) => Promise<RegExpExecArray>;
  end: (signal?: NodeJS.Signals) => Promise<void>;
}

export function start(command: string, args: string[], options: SpawnOptions): Running {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let failed: Error | undefined;
  const exited = new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    child.on("error", (error) => {
      failed = error;
      resolve();
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
  const gone = () => failed !== undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    child,
    output: () => text,
    says: (pattern) =>
      until(`${command} ${args.join(" ")} printing ${pattern}`, () => {
        const found = pattern.exec(text);
        if (!found && gone()) throw new Error(`${command} ${args.join(" ")} ended early: ${failed ?? text}`);
        return found ?? undefined;
      }),
    end: async (signal = "SIGTERM") => {
      if (gone()) return;
      child.kill(signal);
      await Promise.race([exited, pause(15_000)]);
      if (!gone()) child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Waits for something that must happen; the limit only turns a hang into a failure. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited 60 s in vain for ${what}`);
    await pause(20);
  }
}
