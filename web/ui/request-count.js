/** A live count and list of the requests since the last song was chosen. */

import { h, setText, uniqueId } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").PageState} PageState */

export class RequestCount extends HTMLElement {
  #count = h("p", { class: "request-count", id: uniqueId("requests") });
  #note = h("p");
  /** Focusable, for scrolling with keys. */
  #list = h("ol", { tabindex: 0, "aria-labelledby": this.#count.id });

  connectedCallback() {
    this.append(this.#count, this.#note, this.#list);
  }

  /** @param {PageState} state */
  render({ requests, songs }) {
    const count = requests.length;
    setText(this.#count, t(songs.length > 0 ? "privacy.since-song" : "privacy.since-load", { count }));
    setText(this.#note, count > 0 ? t("privacy.program") : "");
    this.#list.hidden = count === 0;
    if (this.#list.childElementCount === count) return;
    this.#list.replaceChildren(...requests.map((url) => h("li", {}, url)));
  }
}

customElements.define("request-count", RequestCount);
