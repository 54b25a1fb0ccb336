/** Balances at a click: those that the song has the stems for. */

import { presetOf, presetsFor } from "../media/presets.js";
import { h, tell } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../media/mix.js").Strip} Strip */

export class PresetRow extends HTMLElement {
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();

  connectedCallback() {
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", t("preset.label"));
  }

  /** @param {Record<string, Strip>} strips by stem */
  render(strips) {
    const names = presetsFor(Object.keys(strips));
    if (names.join() !== [...this.#buttons.keys()].join()) this.#build(names);
    const current = presetOf(strips);
    for (const [name, button] of this.#buttons) button.setAttribute("aria-pressed", String(name === current));
  }

  /** @param {string[]} names */
  #build(names) {
    this.#buttons = new Map(
      names.map((name) => {
        const button = h("button", { type: "button" }, t(`preset.${name}`));
        button.addEventListener("click", () => tell(this, "balance-choose", name));
        return [name, button];
      }),
    );
    this.replaceChildren(...this.#buttons.values());
  }
}

customElements.define("preset-row", PresetRow);
