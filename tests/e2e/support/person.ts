// The person at the dashboard, over its API: sees questions while `watch` is open and answers them.
import type { Ask, AskAnswer, AskAnswered, AskList, DecisionRow, Settings } from "../../../ui/src/types.ts";
import { until, type World } from "./world.ts";

export class Person {
  private watching = new AbortController();
  private constructor(
    private readonly world: World,
    private readonly token: string,
  ) {}

  /** Pairs with the dashboard's one-use code and looks at it from then on. */
  static async of(world: World): Promise<Person> {
    const code = /Pairing code: (\S+)/.exec(world.daemon?.output() ?? "")?.[1] ?? "";
    const origin = new URL(world.dashboard).origin;
    const answer = await fetch(`${origin}/api/pair`, {
      method: "POST",
      headers: { Origin: origin, "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
    const person = new Person(world, ((await answer.json()) as { token: string }).token);
    await person.watch();
    world.afterwards(async () => person.watching.abort());
    return person;
  }

  /** While nobody watches, a doubtful call is denied at once. After a restart of the daemon it is opened again. */
  async watch(): Promise<void> {
    this.watching.abort();
    this.watching = new AbortController();
    const { signal } = this.watching;
    const events = await fetch(`${this.world.dashboard}/api/events`, { headers: this.headers, signal });
    // Read on, so that the daemon never waits for us; the end of the daemon or of the test ends it.
    void events.body?.pipeTo(new WritableStream()).catch(() => undefined);
    await until("somebody to be there", async () => (await this.asks()).attended || undefined);
  }

  private get headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}`, Origin: new URL(this.world.dashboard).origin };
  }

  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.world.dashboard}${path}`, {
      method,
      headers: { ...this.headers, "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  asks = () => this.api<AskList>("GET", "/api/asks");
  decisions = () => this.api<DecisionRow[]>("GET", "/api/decisions?state=active");

  /** The question about the call that holds `word`, once it waits. */
  asked(word: string): Promise<Ask> {
    return until(`a question about ${word}`, async () =>
      (await this.asks()).waiting.find((ask) => ask.message.includes(word)),
    );
  }

  /** Whether it still waits or not. */
  wasAsked(word: string): Promise<Ask> {
    return until(`a question about ${word}, waiting or over`, async () => {
      const { waiting, recent } = await this.asks();
      return [...waiting, ...recent].find((ask) => ask.message.includes(word));
    });
  }

  /** The question about `word`, once it is over. */
  over(word: string): Promise<Ask> {
    return until(`the end of the question about ${word}`, async () =>
      (await this.asks()).recent.find((ask) => ask.message.includes(word)),
    );
  }

  answer(ask: Ask, answer: AskAnswer): Promise<AskAnswered> {
    return this.api("POST", `/api/asks/${ask.id}/answer`, { answer, acknowledged: true });
  }

  async waits(seconds: number): Promise<void> {
    const settings = await this.api<Settings>("GET", "/api/settings");
    await this.api("PUT", "/api/settings", { ...settings, ask_seconds: seconds });
  }
}
