/** The light or dark theme: the system's until the user chooses one. */

import { recall, remember } from "../platform/preferences.js";

/** @typedef {"light" | "dark"} Theme */

const KEY = "theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const changes = new EventTarget();

systemDark.addEventListener("change", () => changes.dispatchEvent(new Event("change")));
matchMedia("(forced-colors: active)").addEventListener("change", () =>
  changes.dispatchEvent(new Event("change")),
);

/** @returns {Theme} the theme on screen */
export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return systemDark.matches ? "dark" : "light";
}

/** Restores the choice of an earlier visit. */
export function restoreTheme() {
  const theme = recall(KEY);
  if (theme) document.documentElement.dataset.theme = theme;
}

export function toggleTheme() {
  const theme = currentTheme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  remember(KEY, theme);
  changes.dispatchEvent(new Event("change"));
}

/**
 * Listens for changed colours, for drawings on a canvas.
 * @param {() => void} listener
 * @param {AbortSignal} [signal] ends the listening
 */
export function onThemeChange(listener, signal) {
  changes.addEventListener("change", listener, { signal });
}
