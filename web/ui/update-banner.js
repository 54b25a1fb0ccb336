/** Offers what a reload brings; nothing reloads by itself. */

import { atWork } from "../app/updates.js";
import { h, setText, tell } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").PageState} PageState */

export class UpdateBanner extends HTMLElement {
  #text = h("p", { role: "status" });
  #button = h("button", { type: "button", onclick: () => tell(this, "update-apply") });

  connectedCallback() {
    this.append(this.#text, this.#button);
  }

  /** @param {PageState} state */
  render(state) {
    const { update, songs } = state;
    this.hidden = update === null;
    if (!update) return;
    const busy = atWork(state);
    const lost = songs.some(({ folder }) => folder === null); // those in the storage outlive a reload
    const advice = busy ? t("update.busy") : lost ? t("update.loss") : "";
    setText(this.#text, `${t(`update.${update}`)} ${update === "queued" ? "" : advice}`.trim());
    setText(this.#button, t(update === "waiting" ? "update.apply" : "update.reload"));
    this.#button.hidden = update === "queued";
    this.#button.disabled = busy;
  }
}

customElements.define("update-banner", UpdateBanner);
