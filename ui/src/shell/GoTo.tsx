// `Ctrl K`: pages, apps, servers and Signatures by name.
import { type KeyboardEvent, useMemo, useState } from "react";
import { useApps, useSignatures } from "../api/queries";
import { serversOf } from "../lib/apps";
import { toSearch } from "../lib/filter";
import { navigate, PAGES, type Route } from "../lib/route";
import { Dialog } from "../parts/Dialog";
import { Name } from "../parts/Hostile";
import { text } from "../text";

type Goal = { label: string; kind: string; hostile: boolean; to: Pick<Route, "page"> & Partial<Route> };
const SHOWN = 12;

export function GoTo({ onClose }: { onClose: () => void }) {
  const goals = useGoals();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const wanted = typed.trim().toLowerCase();
  const found = goals.filter((goal) => goal.label.toLowerCase().includes(wanted)).slice(0, SHOWN);
  const go = (goal: Goal | undefined) => {
    if (!goal) return;
    onClose();
    navigate(goal.to);
  };
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) setAt((at + by + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") go(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={text.goTo.title} onClose={onClose}>
      <input
        className="field wide"
        role="combobox"
        aria-expanded="true"
        aria-controls="goals"
        aria-activedescendant={found[at] ? `goal-${at}` : undefined}
        aria-label={text.goTo.title}
        placeholder={text.goTo.placeholder}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <div className="goals" id="goals" role="listbox" aria-label={text.goTo.title}>
        {found.map((goal, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the combobox above
          <div
            key={`${goal.kind}:${goal.label}:${goal.to.search ?? goal.to.open ?? ""}`}
            id={`goal-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            onClick={() => go(goal)}
          >
            <span className="grow ell">{goal.hostile ? <Name value={goal.label} /> : goal.label}</span>
            <span className="faint small">{goal.kind}</span>
          </div>
        ))}
        {found.length === 0 && <p className="muted small">{text.goTo.none}</p>}
      </div>
    </Dialog>
  );
}

function useGoals(): Goal[] {
  const apps = useApps().data;
  const signatures = useSignatures().data;
  return useMemo(() => {
    const goals: Goal[] = PAGES.filter((page) => page !== "report").map((page) => ({
      label: text.pages[page],
      kind: "page",
      hostile: false,
      to: { page },
    }));
    for (const app of apps ?? []) {
      goals.push({ label: app.name, kind: "app", hostile: false, to: { page: "apps" } });
      for (const server of serversOf(app)) {
        const search = toSearch({ app: app.id, ...(server.id ? { upstream: server.id } : {}) });
        goals.push({
          label: server.name,
          kind: `server of ${app.name}`,
          hostile: true,
          to: { page: "traffic", search },
        });
      }
    }
    for (const { id } of signatures?.signatures ?? [])
      goals.push({ label: id, kind: "Signature", hostile: false, to: { page: "signatures", open: id } });
    return goals;
  }, [apps, signatures]);
}
