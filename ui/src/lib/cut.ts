// Names that a server gave are cut in the middle, so that both ends stay readable. Pure.
export const NAME_LIMIT = 40;

/** Cuts by code points, never through a surrogate pair. */
export function cutMiddle(name: string, limit = NAME_LIMIT): string {
  const points = Array.from(name);
  if (points.length <= limit) return name;
  const head = Math.ceil((limit - 1) / 2);
  return `${points.slice(0, head).join("")}…${points.slice(points.length - (limit - 1 - head)).join("")}`;
}
