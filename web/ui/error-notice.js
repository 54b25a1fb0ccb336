/** An error of the page or of a song. Emits `page-retry`, or `song-resume` and `song-remove`. */

import { emit, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { errorHint } from "./texts.js";

/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../app/song.js").Song} Song */

export class ErrorNotice extends HTMLElement {
  /** @type {ErrorData | null} */
  #error = null;

  connectedCallback() {
    this.setAttribute("role", "alert");
  }

  /**
   * @param {ErrorData | null} error
   * @param {Song | null} song that failed, or null for an error of the page
   */
  render(error, song) {
    if (error === this.#error) return;
    this.#error = error;
    this.replaceChildren(...(error ? this.#content(error, song) : []));
  }

  /**
   * @param {ErrorData} error
   * @param {Song | null} song
   */
  #content(error, song) {
    const { code, message, retryable } = error;
    const actions = h("div", { class: "error-actions" });
    const retry = () => (song ? emit(this, "song-resume", song.id) : emit(this, "page-retry"));
    if (retryable) actions.append(button(retry, icon("rotate-ccw"), t("action.retry")));
    if (song) actions.append(button(() => emit(this, "song-remove", song.id), t("action.remove")));
    const text = h(
      "div",
      {},
      h("p", { class: "error-title" }, t(`error.${code}.title`, { song: song?.name ?? "" })),
      h("p", {}, errorHint(error)),
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
