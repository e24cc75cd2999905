// What a Signature must match and what it must leave alone, and where in a Message that stands.
import { Fragment } from "react";
import { useSignature } from "../../api/queries";
import { rolesOf } from "../../lib/examples";
import { Block } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Waiting } from "../../parts/states";
import { text } from "../../text";
import type { SignatureInfo } from "../../types";

export function Examples({ signature }: { signature: SignatureInfo }) {
  const full = useSignature(signature.id);
  // Their roles come with the file: before that they would move the examples under the reader.
  if (full.isPending) return <Waiting query={full} rows={3} />;
  const file = full.data?.text ?? "";
  return (
    <div className="ex">
      {(["hit", "miss"] as const).map((kind) => (
        <div key={kind}>
          <h3 className="exh small">
            <Icon name={kind === "hit" ? "check" : "close"} />
            {text.signatures[kind]}
          </h3>
          <ExampleList
            examples={kind === "hit" ? signature.hits : signature.misses}
            roles={rolesOf(file, kind)}
          />
        </div>
      ))}
    </div>
  );
}

/** What an example is a part of is said where it begins to differ from the one above. */
function ExampleList({ examples, roles }: { examples: string[]; roles: (string | null)[] }) {
  return examples.map((example, i) => {
    const role = roles[i];
    const isNew = i === 0 || role !== roles[i - 1];
    return (
      <Fragment key={example}>
        {role && isNew && (
          <p className="tiny faint">{text.signatures.roles[role] ?? role.replaceAll("_", " ")}</p>
        )}
        <Block value={example} />
      </Fragment>
    );
  });
}
