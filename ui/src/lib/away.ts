// Whether an address leads away from this computer. Pure.

/** Where texts would leave to; null: they stay on this computer, or the address cannot be read yet. */
export function awayHost(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { hostname } = new URL(address);
  const isHere = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  return isHere || hostname === "" ? null : hostname;
}
