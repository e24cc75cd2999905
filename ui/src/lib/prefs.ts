// What this browser remembers about looks and keys. Nothing that touches protection lives here.
import { createStore } from "./store";

export type Prefs = {
  theme: "system" | "light" | "dark";
  density: "compact" | "comfortable";
  letters: boolean;
  /** The first run was seen here. */
  welcomed: boolean;
};
const KEY = "portcullis.prefs";
const DEFAULTS: Prefs = { theme: "system", density: "compact", letters: true, welcomed: false };

function load(): Prefs {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Prefs>;
    return {
      theme: stored.theme === "light" || stored.theme === "dark" ? stored.theme : DEFAULTS.theme,
      density: stored.density === "comfortable" ? "comfortable" : DEFAULTS.density,
      letters: stored.letters !== false,
      welcomed: stored.welcomed === true,
    };
  } catch {
    return DEFAULTS;
  }
}

export const prefs = createStore<Prefs>(load());
const dark = matchMedia("(prefers-color-scheme: dark)");

function show() {
  const { theme, density } = prefs.get();
  const root = document.documentElement;
  root.dataset.theme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
  root.dataset.density = density;
}
export function changePrefs(part: Partial<Prefs>) {
  const next = { ...prefs.get(), ...part };
  localStorage.setItem(KEY, JSON.stringify(next));
  prefs.set(next);
}
export function startPrefs() {
  show();
  prefs.subscribe(show);
  dark.addEventListener("change", show);
  window.addEventListener("storage", ({ key }) => {
    if (key === KEY) prefs.set(load());
  });
}
export const rowHeight = (density: Prefs["density"]) => (density === "comfortable" ? 44 : 34);
