/** The live count of requests since the last song came. */

import { h, setText } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").PageState} PageState */

export class RequestCount extends HTMLElement {
  #count = h("p", { class: "request-count" });
  #note = h("p");
  #list = h("ol");

  connectedCallback() {
    this.append(this.#count, this.#note, this.#list);
  }

  /** @param {PageState} state */
  render({ requests, songs }) {
    const count = requests.length;
    setText(this.#count, t(songs.length > 0 ? "privacy.since-song" : "privacy.since-load", { count }));
    setText(this.#note, count > 0 ? t("privacy.program") : "");
    if (this.#list.childElementCount === count) return;
    this.#list.replaceChildren(...requests.map((url) => h("li", {}, url)));
  }
}

customElements.define("request-count", RequestCount);
