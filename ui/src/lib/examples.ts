// Where the examples of a Signature stand in a Message. The engine sends their texts alone, so the roles are read from
// the file's own text, which it sends with one Signature. Pure.

/** The roles in the order of the examples; null for a whole Message. */
export function rolesOf(file: string, kind: "hit" | "miss"): (string | null)[] {
  const roles: (string | null)[] = [];
  let inside = false;
  for (const line of file.split(/\r?\n/)) {
    if (line.startsWith("[")) {
      inside = line.trim() === `[[${kind}]]`;
      if (inside) roles.push(null);
    } else if (inside) {
      const role = /^role\s*=\s*"([a-z_]+)"/.exec(line)?.[1];
      if (role !== undefined) roles[roles.length - 1] = role;
    }
  }
  return roles;
}
