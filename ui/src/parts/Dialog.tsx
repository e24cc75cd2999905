// A modal box on the browser's own <dialog>: focus stays inside, Esc closes, focus goes back.
import { type ReactNode, useEffect, useRef } from "react";
import { text } from "../text";
import { Button } from "./controls";
import { Icon } from "./Icon";

export function Dialog(props: { title: string; children: ReactNode; onClose: () => void; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    // The browser focuses the close button; a field to type in comes first.
    dialog?.querySelector<HTMLElement>("input")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      className={`card dialog ${props.wide ? "wide" : ""}`}
      aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onClick={(event) => event.target === box.current && props.onClose()}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <header>
        <h2 className="grow">{props.title}</h2>
        <Button look="quiet" small label={text.detail.close} onClick={props.onClose}>
          <Icon name="close" />
        </Button>
      </header>
      <div className="dialogbody">{props.children}</div>
    </dialog>
  );
}
