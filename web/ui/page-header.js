/** The controls of the page as a whole: theme and help. */

import { setText } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";
import { currentTheme, onThemeChange, restoreTheme, toggleTheme } from "./theme.js";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

export function setUpHeader() {
  setUpTheme(byId("theme"));
  setUpHelp(byId("help"));
}

/** @param {HTMLButtonElement} button */
function setUpTheme(button) {
  restoreTheme();
  const render = () => {
    const dark = currentTheme() === "dark";
    const label = t(dark ? "theme.light" : "theme.dark");
    button.replaceChildren(icon(dark ? "sun" : "moon"));
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  button.addEventListener("click", toggleTheme);
  onThemeChange(render);
  render();
}

/** @param {HTMLDialogElement} dialog */
function setUpHelp(dialog) {
  const open = byId("help-open");
  const close = byId("help-close");
  open.append(icon("circle-question-mark"));
  open.title = t("help.open");
  close.append(icon("x"));
  open.addEventListener("click", () => dialog.showModal());
  byId("promise-proof").addEventListener("click", () => dialog.showModal());
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  addEventListener("keydown", ({ key }) => {
    if (key === "?" && !dialog.open) dialog.showModal();
  });
}

/** @param {string} text for those who do not see the page change */
export function announce(text) {
  setText(byId("status"), text);
}
