// How often the person is asked: a question asked too often is clicked away, so a noisy Signature gets a proposal.
import { useState } from "react";
import { useBudget, useExchange } from "../../api/queries";
import { day } from "../../lib/time";
import { Button } from "../../parts/controls";
import { Link } from "../../parts/Link";
import { number, text } from "../../text";
import type { AskBudget, BudgetSignature } from "../../types";
import { ExceptionDialog } from "../alerts/Exception";

const t = text.budget;
const SHOWN = 4;
const HEIGHT_PX = 40;

export function Budget() {
  const budget = useBudget().data;
  // While nothing was asked there is nothing to say; a first question makes the card appear.
  if (!budget || budget.signatures.length === 0) return null;
  const total = budget.days.reduce((all, one) => all + one.asked, 0);
  const perDay = total / Math.max(1, budget.days.length);
  return (
    <section className="card" aria-label={t.title}>
      <header>
        <h2 className="grow">{t.title}</h2>
        <span className="small faint num">
          {t.total(total)}
          {perDay >= 0.1 && ` · ${t.perDay(perDay.toFixed(1))}`}
        </span>
      </header>
      <Days budget={budget} total={total} />
      <ul className="budget small">
        {budget.signatures.slice(0, SHOWN).map((one) => (
          <Noisy key={one.signature} one={one} />
        ))}
      </ul>
    </section>
  );
}

function Days({ budget, total }: { budget: AskBudget; total: number }) {
  const most = Math.max(1, ...budget.days.map((one) => one.asked));
  return (
    <div className="budgetdays" role="img" aria-label={t.label(total)}>
      {budget.days.map((one) => (
        <i
          key={one.from}
          title={`${day(one.from)}: ${number(one.asked)}`}
          style={{ height: Math.max(2, Math.round((one.asked / most) * HEIGHT_PX)) }}
        />
      ))}
    </div>
  );
}

function Noisy({ one }: { one: BudgetSignature }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <span className="grow ell">
        <Link className="mono plain" to={{ page: "signatures", open: one.signature }}>
          {one.signature}
        </Link>{" "}
        <span className="faint num">{t.signature(one.asked, one.allowed)}</span>
        {one.proposal === "stricter" && <span className="block muted">{t.stricter}</span>}
      </span>
      {one.proposal === "exception" && (
        <Button small label={text.labelOf(t.exception, one.signature)} onClick={() => setOpen(true)}>
          {t.exception}
        </Button>
      )}
      {open && <ExceptionOf id={one.newest} onClose={() => setOpen(false)} />}
    </li>
  );
}

function ExceptionOf({ id, onClose }: { id: string; onClose: () => void }) {
  const detail = useExchange(id).data;
  return detail ? <ExceptionDialog exchange={detail.exchange} effect="allow" onClose={onClose} /> : null;
}
