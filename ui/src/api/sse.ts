// A parser for Server-Sent Events: fetch is used instead of EventSource, because the token belongs in a header.
// Pure: bytes of any cut go in as text, whole `data` payloads come out.

export class SseParser {
  #rest = "";
  #data: string[] = [];

  /** Gives the payloads that became complete with this piece of text. */
  push(piece: string): string[] {
    this.#rest += piece;
    const payloads: string[] = [];
    for (;;) {
      const end = this.#rest.search(/[\r\n]/);
      if (end === -1) break;
      // A CR at the very end may be half of a CRLF.
      if (this.#rest[end] === "\r" && end === this.#rest.length - 1) break;
      const length = this.#rest.startsWith("\r\n", end) ? 2 : 1;
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + length);
      const payload = this.#line(line);
      if (payload !== null) payloads.push(payload);
    }
    return payloads;
  }

  #line(line: string): string | null {
    if (line === "") {
      if (this.#data.length === 0) return null;
      const payload = this.#data.join("\n");
      this.#data = [];
      return payload;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    if (field === "data") {
      const value = colon === -1 ? "" : line.slice(colon + 1);
      this.#data.push(value.startsWith(" ") ? value.slice(1) : value);
    }
    return null;
  }
}
