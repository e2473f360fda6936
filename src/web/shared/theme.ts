/** Light or dark, by choice or by the system's. */
import { readStored, writeStored } from "./stored.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function readTheme(key: string): Theme {
  return readStored(key, THEMES, "auto");
}

/** Shows the theme and remembers it. */
export function chooseTheme(key: string, theme: Theme): void {
  writeStored(key, theme, "auto");
  showTheme(theme);
}

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
let shown: Theme = "auto";

/** Before the first paint, so that no page flashes in the other theme. */
export function showTheme(theme: Theme): void {
  shown = theme;
  const isDark = theme === "dark" || (theme === "auto" && systemIsDark.matches);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
}

systemIsDark.addEventListener("change", () => showTheme(shown));
