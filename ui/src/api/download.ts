// A file of the engine's into the person's downloads. The token travels in a header, so a plain link cannot do it.
import { send } from "./client";

export type ExportFormat = "jsonl" | "csv" | "sarif";

export async function exportExchanges(format: ExportFormat, filter: URLSearchParams): Promise<void> {
  const params = new URLSearchParams(filter);
  params.set("format", format);
  const answer = await send(`/api/export?${params}`);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1];
  save(await answer.blob(), name ?? `portcullis.${format}`);
}

function save(blob: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Not at once: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
