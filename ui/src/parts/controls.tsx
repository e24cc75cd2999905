// Buttons, switches, choices and tabs. Disabled ones stay focusable and say so, nothing happens on a click.
import { type KeyboardEvent, type ReactNode, useRef } from "react";
import { Link, type LinkProps } from "./Link";

type ButtonProps = {
  children: ReactNode;
  onClick?: (() => void) | undefined;
  look?: "" | "solid" | "quiet";
  small?: boolean;
  off?: boolean;
  label?: string;
  /** The id of what says more: which of several it is about. */
  describedBy?: string;
  submit?: boolean;
};

export function Button({
  children,
  onClick,
  look = "",
  small = false,
  off = false,
  label,
  describedBy,
  submit,
}: ButtonProps) {
  return (
    <button
      type={submit ? "submit" : "button"}
      className={`btn ${look} ${small ? "s" : ""}`}
      aria-disabled={off || undefined}
      aria-label={label}
      aria-describedby={describedBy}
      onClick={(event) => {
        if (off) event.preventDefault();
        else onClick?.();
      }}
    >
      {children}
    </button>
  );
}

/** `null` is the third state: some of what it stands for is on. */
export function Toggle(props: { on: boolean | null; label: string; onChange: () => void; off?: boolean }) {
  const look = props.on === null ? "mixed" : props.on ? "on" : "";
  return (
    <button
      type="button"
      role="switch"
      aria-checked={props.on === null ? "mixed" : props.on}
      aria-label={props.label}
      aria-disabled={props.off || undefined}
      className="hit"
      onClick={() => !props.off && props.onChange()}
    >
      <span className={`toggle ${look}`} />
    </button>
  );
}

type Option<T extends string> = { value: T; label: ReactNode };
type ChoiceProps<T extends string> = {
  options: Option<T>[];
  value: T;
  label: string;
  onChange: (value: T) => void;
};

/** True: another one was chosen. */
function step<T extends string>({ options, value, onChange }: ChoiceProps<T>, event: KeyboardEvent): boolean {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (by === 0) return false;
  event.preventDefault();
  const at = options.findIndex((option) => option.value === value);
  const next = options[(at + by + options.length) % options.length];
  if (next) onChange(next.value);
  return next !== undefined;
}

/** One of a few, side by side. */
export function Segments<T extends string>(props: ChoiceProps<T>) {
  return (
    <div className="seg" role="radiogroup" aria-label={props.label} onKeyDown={(event) => step(props, event)}>
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === props.value}
          tabIndex={option.value === props.value ? 0 : -1}
          className={option.value === props.value ? "on" : undefined}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Tabs<T extends string>(props: ChoiceProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  return (
    <div
      className="tabs"
      role="tablist"
      aria-label={props.label}
      ref={list}
      onKeyDown={(event) => {
        // Tab has to get out of here.
        if (!step(props, event)) return;
        requestAnimationFrame(() =>
          list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus(),
        );
      }}
    >
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="tab"
          aria-selected={option.value === props.value}
          tabIndex={option.value === props.value ? 0 : -1}
          className={option.value === props.value ? "on" : undefined}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function ButtonLink({
  look = "",
  small = false,
  ...link
}: LinkProps & { look?: string; small?: boolean }) {
  return <Link {...link} className={`btn ${look} ${small ? "s" : ""}`} />;
}
