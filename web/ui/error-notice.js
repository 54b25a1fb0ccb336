/** What went wrong, in place, and what to do next. */

import { h, tell } from "./dom.js";
import { language, t } from "./i18n.js";
import { icon } from "./icon.js";

/** @typedef {import("../base/errors.js").ErrorData} ErrorData */

/** @typedef {import("../app/song.js").Song} Song */

export class ErrorNotice extends HTMLElement {
  /** @type {ErrorData | null} */
  #shown = null;

  connectedCallback() {
    this.setAttribute("role", "alert");
  }

  /**
   * @param {ErrorData | null} error
   * @param {Song | null} song whose error it is, if it is not the page's own
   */
  render(error, song) {
    if (error === this.#shown) return;
    this.#shown = error;
    this.replaceChildren(...(error ? this.#notice(error, song) : []));
  }

  /**
   * @param {ErrorData} error
   * @param {Song | null} song
   */
  #notice({ code, message, hint, retryable }, song) {
    const actions = h("div", { class: "error-actions" });
    const again = () => (song ? tell(this, "song-resume", song.id) : tell(this, "page-retry"));
    if (retryable) actions.append(button(again, icon("rotate-ccw"), t("action.retry")));
    if (song) actions.append(button(() => tell(this, "song-remove", song.id), t("action.remove")));
    // The engine and the decoder speak English; what they advise is more exact than a text by code.
    const advice = (language === "en" && hint) || t(`error.${code}.hint`);
    const text = h(
      "div",
      {},
      h("p", { class: "error-title" }, t(`error.${code}.title`, { song: song?.name ?? "" })),
      h("p", {}, advice),
      h("p", { class: "error-code", lang: "en" }, h("code", {}, code), ` ${message}`),
    );
    return [icon("triangle-alert"), text, actions];
  }
}

/** @param {EventListener} onclick @param {...(Node | string)} content */
function button(onclick, ...content) {
  return h("button", { type: "button", onclick }, ...content);
}

customElements.define("error-notice", ErrorNotice);
