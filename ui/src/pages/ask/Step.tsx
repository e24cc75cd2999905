// What every second view of a question is: its title, what is chosen, Back and the one button that sends the answer.
import { type ReactNode, useId } from "react";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/Icon";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import type { Ask, AskAnswer } from "../../types";
import { AskHead } from "./AskHead";
import { useAnswer, useArmed } from "./useAnswer";

const t = text.ask;

export type StepProps = { ask: Ask; onBack: () => void; onDecided: (() => void) | undefined };
type Props = StepProps & {
  /** Tells this view from the others of the question. */
  name: string;
  title: string;
  button: string;
  answer: AskAnswer;
  /** A sentence to tick before the button works. */
  acknowledge?: { ticked: boolean; line: ReactNode } | null;
  children: ReactNode;
};

export function Step({ ask, onBack, onDecided, name, title, button, answer, acknowledge, children }: Props) {
  const armed = useArmed(`${ask.id}/${name}`);
  const send = useAnswer(ask, () => {
    onDecided?.();
    onBack();
  });
  const acknowledged = acknowledge?.ticked ?? false;
  const off = !armed || send.isPending || (acknowledge != null && !acknowledged);
  return (
    <>
      <AskHead ask={ask} title={title} />
      <div className="body ruled askbody">{children}</div>
      <footer className="askfoot">
        {acknowledge?.line}
        {send.isError && <Failure error={send.error} />}
        <div className="two2">
          <Button onClick={onBack}>
            <Icon name="back" />
            {t.back}
          </Button>
          <Button look="solid" off={off} onClick={() => send.mutate({ answer, acknowledged })}>
            {button}
          </Button>
        </div>
      </footer>
    </>
  );
}

type Choice<T> = { value: T; label: ReactNode; more?: string | null };
type OneOfProps<T> = { label: string; options: Choice<T>[]; value: T; onChange: (value: T) => void };

/** One of a few, each with a line that explains it. */
export function OneOf<T extends string>({ label, options, value, onChange }: OneOfProps<T>) {
  const group = useId();
  return (
    <div className="reach" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value} className="opt">
          <input
            type="radio"
            name={group}
            checked={value === option.value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
          {option.more != null && <span className="d">{option.more}</span>}
        </label>
      ))}
    </div>
  );
}
