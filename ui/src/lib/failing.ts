// What is known of a server that fails: how it failed, and the last lines that it said. Pure.

/** `server exits with code 1: Cannot find module 'pg'`: ours up to the first colon, the rest is the server's. */
export function howItFailed(reason: string): { how: string; said: string | null } {
  const [how = reason, ...rest] = reason.split(": ");
  return rest.length === 0 ? { how: reason, said: null } : { how, said: rest.join(": ") };
}
