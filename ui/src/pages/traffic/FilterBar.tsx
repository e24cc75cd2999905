// The search box (`app:cursor since:1h words`) and the lists for Verdict and server.
import { useEffect, useRef, useState } from "react";
import { type Filter, fromText, toSearch, toText } from "../../lib/filter";
import { useKeys } from "../../lib/keys";
import { plainName } from "../../lib/reveal";
import { Icon } from "../../parts/Icon";
import { text } from "../../text";
import type { App } from "../../types";

const TYPING_MS = 300;

export function FilterBar(props: {
  filter: Filter;
  apps: App[] | undefined;
  onChange: (filter: Filter) => void;
}) {
  const { filter, onChange } = props;
  const [typed, setTyped] = useState(toText(filter));
  const input = useRef<HTMLInputElement>(null);
  const change = useRef(onChange);
  change.current = onChange;
  useKeys({ "/": () => input.current?.focus() });
  const own = useRef(toSearch(filter));
  useEffect(() => {
    // A filter that did not come from this box (a link, Esc, Back) replaces what is typed.
    if (toSearch(filter) === own.current) return;
    own.current = toSearch(filter);
    setTyped(toText(filter));
  }, [filter]);
  useEffect(() => {
    const next = fromText(typed, filter);
    if (toSearch(next) === toSearch(filter)) return;
    const timer = setTimeout(() => {
      own.current = toSearch(next);
      change.current(next);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, filter]);

  const servers = (props.apps ?? []).flatMap((app) =>
    app.files.flatMap((file) =>
      file.servers.flatMap((server) => (server.id ? [{ app, id: server.id, name: server.name }] : [])),
    ),
  );
  const set = (part: Filter) => onChange({ ...fromText(typed, filter), ...part });
  return (
    <search className="filters">
      <label className="field grow">
        <Icon name="search" />
        <input
          ref={input}
          value={typed}
          aria-label={text.traffic.searchLabel}
          placeholder={text.traffic.search}
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            if (typed === "") input.current?.blur();
            setTyped("");
          }}
        />
        <kbd>/</kbd>
      </label>
      <select
        className="select"
        aria-label={text.traffic.verdictLabel}
        value={filter.verdict ?? ""}
        onChange={(event) => set({ verdict: event.target.value })}
      >
        <option value="">{text.traffic.anyVerdict}</option>
        {Object.entries(text.traffic.verdicts).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
        {filter.verdict && !(filter.verdict in text.traffic.verdicts) && (
          <option value={filter.verdict}>{filter.verdict}</option>
        )}
      </select>
      <select
        className="select"
        aria-label={text.traffic.serverLabel}
        value={filter.upstream ?? ""}
        onChange={(event) => set({ upstream: event.target.value })}
      >
        <option value="">{text.traffic.anyServer}</option>
        {servers.map((server) => (
          <option key={server.id} value={server.id}>
            {`${server.app.name}: ${plainName(server.name)}`}
          </option>
        ))}
        {filter.upstream && !servers.some((server) => server.id === filter.upstream) && (
          <option value={filter.upstream}>{filter.upstream}</option>
        )}
      </select>
    </search>
  );
}
