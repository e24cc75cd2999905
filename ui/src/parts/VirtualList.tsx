// A long list as a grid of fixed-height rows: only what is on screen is in the page. One tab stop; keys move an active
// row (`aria-activedescendant`), because rows come and go while scrolling.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef, useState } from "react";
import { useKeys } from "../lib/keys";

export type ListHandle = { toTop(): void };
type Props = {
  label: string;
  count: number;
  /** What a screen reader is told when more rows exist than are loaded; -1: unknown. */
  rowCount?: number;
  rowHeight: number;
  keyOf: (index: number) => string;
  render: (index: number) => ReactNode;
  /** The open row, -1 for none. */
  selected: number;
  onOpen: (index: number) => void;
  /** With a detail open, moving opens the next one at once. */
  follow: boolean;
  header?: ReactNode;
  onNearEnd?: () => void;
  onTop?: (atTop: boolean) => void;
  handle?: Ref<ListHandle>;
};

/** Rows that join above must not put another row under the mark: it goes with its row. */
function placeOf(marked: { index: number; key: string }, count: number, keyOf: Props["keyOf"]): number {
  if (marked.index < 0 || count === 0) return -1;
  for (let by = 0; by < count; by++) {
    if (marked.index + by < count && keyOf(marked.index + by) === marked.key) return marked.index + by;
    if (marked.index - by >= 0 && keyOf(marked.index - by) === marked.key) return marked.index - by;
    if (by > SEARCHED) break;
  }
  return Math.min(marked.index, count - 1);
}
const SEARCHED = 5000;
/** Room for what lies over the foot of the list. */
const FOOT_PX = 32;

export function VirtualList(props: Props) {
  const { count, rowHeight, selected, follow } = props;
  const box = useRef<HTMLDivElement>(null);
  const [marked, setMarked] = useState({ index: selected, key: selected < 0 ? "" : props.keyOf(selected) });
  const [toEnd, setToEnd] = useState(false);
  const active = placeOf(marked, count, props.keyOf);
  const setActive = (index: number) => setMarked({ index, key: props.keyOf(index) });
  const id = useRef(`list-${Math.random().toString(36).slice(2, 8)}`).current;
  const list = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    paddingEnd: FOOT_PX,
    scrollPaddingEnd: FOOT_PX,
    getItemKey: props.keyOf,
  });
  const rows = list.getVirtualItems();
  const lastShown = rows.at(-1)?.index ?? -1;
  const nearEnd = useRef(props.onNearEnd);
  nearEnd.current = props.onNearEnd;
  useEffect(() => {
    if (rowHeight > 0) list.measure();
  }, [rowHeight, list]);
  useEffect(() => {
    if (count > 0 && lastShown >= count - 40) nearEnd.current?.();
  }, [lastShown, count]);
  const keyOf = useRef(props.keyOf);
  keyOf.current = props.keyOf;
  useEffect(() => {
    if (selected < 0) return;
    setMarked({ index: selected, key: keyOf.current(selected) });
    list.scrollToIndex(selected, { align: "auto" });
  }, [selected, list]);
  useEffect(() => {
    // Each page that comes in is gone to the end of, until there are no more or the person does something else.
    if (!toEnd || count === 0) return;
    setMarked({ index: count - 1, key: keyOf.current(count - 1) });
    list.scrollToIndex(count - 1, { align: "end" });
  }, [toEnd, count, list]);
  useImperativeHandle(props.handle, () => ({ toTop: () => box.current?.scrollTo({ top: 0 }) }), []);

  const move = (to: number) => {
    if (count === 0) return;
    const next = Math.max(0, Math.min(count - 1, to));
    setToEnd(false);
    setActive(next);
    list.scrollToIndex(next, { align: "auto" });
    if (follow) props.onOpen(next);
  };
  const page = () => Math.max(1, Math.floor((box.current?.clientHeight ?? rowHeight) / rowHeight) - 2);
  const down = () => move(active + 1);
  const up = () => move(active - 1);
  useKeys({
    j: down,
    ArrowDown: down,
    k: up,
    ArrowUp: up,
    Home: () => move(0),
    End: () => {
      move(count - 1);
      setToEnd(!follow);
    },
    PageDown: () => move(active + page()),
    PageUp: () => move(active - page()),
    Enter: () => (active >= 0 && active < count ? props.onOpen(active) : false),
  });

  return (
    <div
      className="vlist"
      role="grid"
      aria-label={props.label}
      aria-rowcount={props.rowCount ?? count}
      aria-activedescendant={active >= 0 && active < count ? `${id}-${active}` : undefined}
      tabIndex={0}
      ref={box}
      onWheel={() => setToEnd(false)}
      onPointerDown={() => setToEnd(false)}
      onScroll={(event) => props.onTop?.(event.currentTarget.scrollTop < rowHeight / 2)}
    >
      {props.header}
      <div className="vrows" role="rowgroup" style={{ height: list.getTotalSize() }}>
        {rows.map((row) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys belong to the grid
          <div
            key={row.key}
            id={`${id}-${row.index}`}
            className={`vrow ${row.index === active ? "active" : ""}`}
            role="row"
            aria-rowindex={row.index + 1}
            aria-selected={row.index === selected}
            style={{ height: rowHeight, transform: `translateY(${row.start}px)` }}
            onClick={() => {
              setActive(row.index);
              props.onOpen(row.index);
            }}
          >
            {props.render(row.index)}
          </div>
        ))}
      </div>
    </div>
  );
}
