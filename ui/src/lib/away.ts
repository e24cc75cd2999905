// Whether an address leads away from this computer. Pure.

/** Where texts would leave to; null: they stay on this computer; undefined: no address yet. */
export function awayHost(address: string): string | null | undefined {
  if (!URL.canParse(address)) return undefined;
  const { hostname } = new URL(address);
  const isHere = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  if (hostname === "") return undefined;
  return isHere ? null : hostname;
}
