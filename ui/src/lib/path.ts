// A JSON pointer as people write paths: `/result/content/0/text` to `$.result.content[0].text`. Pure.
export function readablePath(pointer: string): string {
  if (pointer === "") return "$";
  const parts = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return `$${parts.map((part) => (/^\d+$/.test(part) ? `[${part}]` : /^[\w-]+$/.test(part) ? `.${part}` : `["${part}"]`)).join("")}`;
}
