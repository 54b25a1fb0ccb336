/** A song that was removed, while it can still be had back. */

import { h, setText, tell } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/song.js").Song} Song */

export class UndoNotice extends HTMLElement {
  #text = h("span");
  #undo = h("button", { type: "button", onclick: () => tell(this, "song-undo") }, t("action.undo"));

  connectedCallback() {
    this.setAttribute("role", "status");
    this.append(this.#text, this.#undo);
  }

  /** @param {Song | null} song */
  render(song) {
    this.hidden = !song;
    setText(this.#text, song ? t("song.removed", { song: song.name }) : "");
  }
}

customElements.define("undo-notice", UndoNotice);
