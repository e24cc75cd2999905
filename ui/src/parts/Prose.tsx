// A sentence of a Signature file, with its `code` in code type. Text nodes only.
export function Prose({ words }: { words: string }) {
  // Every second part stood between backticks; one without a partner stays as it is.
  const parts = words.split("`");
  if (parts.length % 2 === 0) return words;
  return parts.map((part, i) => (i % 2 === 1 ? <code key={`${i}${part}`}>{part}</code> : part));
}
