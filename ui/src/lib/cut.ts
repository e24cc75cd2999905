// Names that a server gave are cut in the middle, so that both ends stay readable; of longer texts the first sentence
// stands for the rest. Pure.
export const NAME_LIMIT = 40;

/** Cuts by code points, never through a surrogate pair. */
export function cutMiddle(name: string, limit = NAME_LIMIT): string {
  const points = Array.from(name);
  if (points.length <= limit) return name;
  const head = Math.ceil((limit - 1) / 2);
  return `${points.slice(0, head).join("")}…${points.slice(points.length - (limit - 1 - head)).join("")}`;
}

const SENTENCE_LIMIT = 200;

/** The first sentence; `…` says that there is more. */
export function firstSentence(words: string): string {
  const whole = words.trim();
  const [first = ""] = whole.split(/(?<=[.!?])\s+(?=\p{Lu})|\n/u);
  const points = Array.from(first);
  if (points.length > SENTENCE_LIMIT) return `${points.slice(0, SENTENCE_LIMIT).join("")}…`;
  return first.length < whole.length ? `${first} …` : first;
}
