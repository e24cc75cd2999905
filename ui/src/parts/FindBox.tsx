// The search box of a page: `/` goes there, Esc empties it, then leaves it.
import { useRef } from "react";
import { useKeys } from "../lib/keys";
import { Icon } from "./Icon";

export function FindBox(props: { label: string; value: string; onChange: (value: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => input.current?.focus() });
  return (
    <label className="field grow">
      <Icon name="search" />
      <input
        ref={input}
        value={props.value}
        aria-label={props.label}
        placeholder={props.label}
        spellCheck={false}
        onChange={(event) => props.onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          if (props.value === "") input.current?.blur();
          props.onChange("");
        }}
      />
      <kbd>/</kbd>
    </label>
  );
}
