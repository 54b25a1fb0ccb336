/** Whether the page works without a network, and the way there. */

import { h, setText, tell } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").PageState} PageState */

export class OfflineLine extends HTMLElement {
  #ready = h("span", { role: "status" });
  #progress = h("span");
  #button = h("button", { type: "button", class: "link", onclick: () => this.#act() });
  #preparing = false;

  connectedCallback() {
    this.append(this.#ready, this.#progress, this.#button);
  }

  /** @param {PageState} state */
  render({ offline: { phase, fraction } }) {
    this.#preparing = phase === "preparing";
    setText(this.#ready, phase === "ready" ? t("offline.ready") : "");
    setText(this.#progress, this.#preparing ? t("offline.preparing", { percent: percent(fraction) }) : "");
    setText(this.#button, t(this.#preparing ? "action.cancel-preparing" : "offline.prepare"));
    this.#button.hidden = phase === "ready" || phase === "impossible";
  }

  #act() {
    tell(this, this.#preparing ? "offline-cancel" : "offline-prepare");
  }
}

customElements.define("offline-line", OfflineLine);
