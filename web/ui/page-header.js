/**
 * Theme, language, and the dialogs of header and footer. Emits `privacy-open`, `storage-open`, `about-open` and
 * `help-open`.
 */

import { emit, h, icon } from "./dom.js";
import { chooseLanguage, LANGUAGES, language, onLanguageChange, t } from "./i18n.js";
import { isCharacterForPage } from "./shortcuts.js";
import { currentTheme, onThemeChange, restoreTheme, toggleTheme } from "./theme.js";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

export function setUpHeader() {
  setUpTheme(byId("theme"));
  setUpLanguage(byId("language"));
  setUpHelp();
  setUpDialog("privacy", "privacy-open", "promise-proof");
  setUpDialog("storage", "storage-open");
  setUpDialog("about", "about-open");
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
  onLanguageChange(render);
  render();
}

/** @param {HTMLSelectElement} select */
function setUpLanguage(select) {
  const names = Object.entries(LANGUAGES);
  select.append(...names.map(([locale, name]) => h("option", { value: locale, lang: locale }, name)));
  select.value = language;
  select.addEventListener("change", async () => {
    try {
      await chooseLanguage(select.value);
    } catch {
      select.value = language; // its texts could not be loaded
    }
  });
}

function setUpHelp() {
  const button = byId("help-open");
  button.append(icon("circle-question-mark"));
  const render = () => {
    button.title = t("help.open");
  };
  onLanguageChange(render);
  render();
  const open = setUpDialog("help", "help-open");
  addEventListener("keydown", (event) => {
    if (event.key === "?" && isCharacterForPage(event) && !document.querySelector("dialog[open]")) open();
  });
}

/**
 * @param {string} id
 * @param {...string} openers ids of the buttons that open it
 */
function setUpDialog(id, ...openers) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id));
  const close = byId(`${id}-close`);
  close.append(icon("x"));
  close.addEventListener("click", () => dialog.close());
  /** Where the last press began: text that is selected may end outside. @type {EventTarget | null} */
  let pressed = null;
  dialog.addEventListener("pointerdown", ({ target }) => {
    pressed = target;
  });
  dialog.addEventListener("click", ({ target, detail }) => {
    const isSecond = detail > 1; // of a double click on the opener
    if (target === dialog && pressed === dialog && !isSecond) dialog.close();
  });
  const open = () => {
    emit(dialog, `${id}-open`);
    dialog.showModal();
  };
  for (const opener of openers) byId(opener).addEventListener("click", open);
  return open;
}
