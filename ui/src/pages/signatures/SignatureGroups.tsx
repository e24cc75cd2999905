// The list: a heading per category, a row per Signature.
import { useEffect, useRef } from "react";
import { Empty } from "../../parts/states";
import { SeverityBars } from "../../parts/Verdict";
import { number, text } from "../../text";
import type { SignatureInfo } from "../../types";

type Props = {
  groups: [string, SignatureInfo[]][];
  chosen: string | null;
  onChoose: (id: string) => void;
};

/** `path-traversal` to `Path traversal`: a category is a folder name. */
export function categoryName(category: string): string {
  const plain = category.replaceAll(/[-_]/g, " ");
  return text.signatures.categories[category] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

export function SignatureGroups({ groups, chosen, onChoose }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen) list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <>
      {groups.length === 0 && <Empty title={text.signatures.empty} />}
      <div role="listbox" aria-label={text.signatures.list} tabIndex={0} ref={list} className="siglist">
        {groups.map(([category, members], i) => (
          <div key={category} role="group" aria-label={categoryName(category)}>
            <div className="g" aria-hidden="true">
              <span>{categoryName(category)}</span>
              {i === 0 && <span>{text.signatures.hits}</span>}
            </div>
            {members.map((one) => (
              <Item
                key={one.id}
                signature={one}
                chosen={one.id === chosen}
                onChoose={() => onChoose(one.id)}
              />
            ))}
          </div>
        ))}
      </div>
    </>
  );
}

function Item(props: { signature: SignatureInfo; chosen: boolean; onChoose: () => void }) {
  const { signature, chosen, onChoose } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys belong to the list
    <div
      className={`it ${chosen ? "sel" : ""} ${signature.enabled ? "" : "faint"}`}
      role="option"
      aria-selected={chosen}
      onClick={onChoose}
    >
      <SeverityBars severity={signature.severity} />
      <span className="ell signame">{signature.id}</span>
      <span className="row">
        {!signature.bundled && <span className="chip">{text.signatures.yours}</span>}
        {signature.enabled ? (
          <span className="num small muted">
            {number(signature.hits_30d)}
            <span className="vh"> {text.signatures.hits}</span>
          </span>
        ) : (
          <span className="chip">{text.signatures.off}</span>
        )}
      </span>
    </div>
  );
}
