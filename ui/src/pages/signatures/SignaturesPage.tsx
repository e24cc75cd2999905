// Signatures: grouped by category, severity as bars, hits in 30 days; the chosen one beside the list.
import { useSignatures } from "../../api/queries";
import { useNarrow } from "../../lib/hooks";
import { useKeys } from "../../lib/keys";
import { navigate, useRoute } from "../../lib/route";
import { FindBox } from "../../parts/FindBox";
import { Empty, Failure, Waiting } from "../../parts/states";
import { text } from "../../text";
import type { SignatureInfo } from "../../types";
import { Faults } from "./Faults";
import { SignatureDetail } from "./SignatureDetail";
import { SignatureGroups } from "./SignatureGroups";

export default function SignaturesPage() {
  const signatures = useSignatures();
  const { open, search } = useRoute();
  const narrow = useNarrow();
  const find = new URLSearchParams(search).get("q") ?? "";
  const setFind = (q: string) =>
    navigate(
      { page: "signatures", search: q === "" ? "" : new URLSearchParams({ q }).toString(), open },
      "replace",
    );
  const all = signatures.data?.signatures ?? [];
  const wanted = find.trim().toLowerCase();
  const shown = all.filter((one) => `${one.id} ${one.title} ${one.category}`.toLowerCase().includes(wanted));
  const groups = groupByCategory(shown);
  const chosen =
    all.find((one) => one.id === open) ?? (narrow || open !== null ? undefined : groups[0]?.[1][0]);
  const show = (id: string | null) =>
    navigate({ page: "signatures", search, open: id }, open === null ? "push" : "replace");
  const order = groups.flatMap(([, members]) => members);
  const move = (by: number) => {
    const at = order.findIndex((one) => one.id === chosen?.id);
    const next = order[Math.max(0, Math.min(order.length - 1, at + by))];
    if (next) show(next.id);
  };
  useKeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    Home: () => move(-order.length),
    End: () => move(order.length),
    Escape: () => (open !== null ? show(null) : find !== "" ? setFind("") : false),
  });
  const categories = new Set(all.map((one) => one.category)).size;
  const on = all.filter((one) => one.enabled).length;
  const yours = all.filter((one) => !one.bundled).length;
  return (
    <>
      <header className="top">
        <div className="grow">
          <h1>{text.pages.signatures}</h1>
          {signatures.data && (
            <p className="small muted">{text.signatures.summary(all.length, categories, on, yours)}</p>
          )}
        </div>
      </header>
      {signatures.data && signatures.isError && <Failure error={signatures.error} />}
      <div className="split sigsplit">
        {!(narrow && open !== null) && (
          <section className="ls" aria-label={text.signatures.list}>
            {narrow && <Faults faults={signatures.data?.faults ?? []} />}
            <div className="sigfind">
              <FindBox label={text.signatures.find} value={find} onChange={setFind} />
            </div>
            <Waiting query={signatures} rows={10} />
            {signatures.data && (
              <SignatureGroups groups={groups} chosen={chosen?.id ?? null} onChoose={show} />
            )}
          </section>
        )}
        {(!narrow || open !== null) && (
          <section className="sigdetail" aria-label={text.signatures.detail}>
            {!narrow && <Faults faults={signatures.data?.faults ?? []} />}
            {signatures.data && open !== null && !chosen && (
              <Empty title={text.signatures.builtIn}>
                <code>{open}</code>
              </Empty>
            )}
            {chosen && <SignatureDetail key={chosen.id} signature={chosen} onBack={() => show(null)} />}
          </section>
        )}
      </div>
    </>
  );
}

function groupByCategory(signatures: SignatureInfo[]): [string, SignatureInfo[]][] {
  const groups = new Map<string, SignatureInfo[]>();
  for (const one of [...signatures].sort(
    (a, b) => a.category.localeCompare(b.category) || a.id.localeCompare(b.id),
  ))
    groups.set(one.category, [...(groups.get(one.category) ?? []), one]);
  return [...groups];
}
