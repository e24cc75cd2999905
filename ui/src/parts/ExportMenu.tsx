// Export of what a list shows now: JSON Lines, CSV, or SARIF with one result per Finding.
import { useMutation } from "@tanstack/react-query";
import { type ExportFormat, exportExchanges } from "../api/download";
import { useWritable } from "../lib/hooks";
import { text } from "../text";
import { Icon } from "./Icon";
import { Menu } from "./Menu";
import { Failure } from "./states";

const FORMATS: ExportFormat[] = ["jsonl", "csv", "sarif"];

export function ExportMenu({ filter }: { filter: () => URLSearchParams }) {
  const writable = useWritable();
  const save = useMutation({ mutationFn: (format: ExportFormat) => exportExchanges(format, filter()) });
  return (
    <>
      {save.isError && <Failure error={save.error} />}
      <Menu
        label={text.exports.label}
        off={!writable || save.isPending}
        items={FORMATS.map((format) => ({
          label: text.exports.formats[format],
          act: () => save.mutate(format),
        }))}
      >
        <Icon name="export" />
        {save.isPending ? text.exports.saving : text.exports.button}
      </Menu>
    </>
  );
}
