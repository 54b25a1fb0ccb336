/** The ready-made balances that the song's stems allow. Emits `balance-choose`. */

import { presetOf, presetsFor } from "../playback/page/balances.js";
import { emit, h, uniqueId } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../playback/page/gains.js").Strip} Strip */

export class BalanceRow extends HTMLElement {
  #group = uniqueId("balance");
  /** @type {Map<string, HTMLInputElement>} */
  #choices = new Map();

  connectedCallback() {
    this.setAttribute("role", "radiogroup");
    this.setAttribute("aria-label", t("balance.label"));
  }

  /** @param {Record<string, Strip>} strips by stem */
  render(strips) {
    const names = presetsFor(Object.keys(strips));
    if (names.join() !== [...this.#choices.keys()].join()) this.#build(names);
    const current = presetOf(strips);
    for (const [name, choice] of this.#choices) choice.checked = name === current;
  }

  /** @param {string[]} names */
  #build(names) {
    this.#choices = new Map(
      names.map((name) => [name, h("input", { type: "radio", name: this.#group, value: name })]),
    );
    this.replaceChildren(
      ...[...this.#choices].map(([name, choice]) => h("label", {}, choice, t(`balance.${name}`))),
    );
    for (const [name, choice] of this.#choices) {
      choice.addEventListener("change", () => emit(this, "balance-choose", name));
    }
  }
}

customElements.define("balance-row", BalanceRow);
