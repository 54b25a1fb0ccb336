/** Lack of storage for the stems, and the songs that could be removed. Emits `song-erase`. */

import { bytesFree, bytesKept, bytesNeeded, hasSpaceFor, removableSongs } from "../app/storage-space.js";
import { emit, h } from "./dom.js";
import { size } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

/** Songs that are offered for removal. */
const OFFERED = 3;

export class StorageNotice extends HTMLElement {
  #content = "";

  connectedCallback() {
    this.setAttribute("role", "alert");
  }

  /**
   * @param {PageState} state
   * @param {Song | null} song
   */
  render(state, song) {
    const { model } = state;
    const full = song?.error?.code === "storage/quota";
    const short = song?.format && model && song.status !== "done" && !hasSpaceFor(state, song, model);
    this.hidden = !full && !short;
    if (!song || this.hidden) return this.#show("", []);
    const songs = removableSongs(state, song).slice(0, OFFERED);
    const needed = song.format && model ? bytesNeeded(song, model) : 0;
    const facts = { needed: size(needed), free: size(bytesFree(state)) };
    const text = [needed ? t("space.short", facts) : "", t(songs.length ? "space.offer" : "space.none")];
    this.#show(text.join(" ").trim(), songs);
  }

  /** @param {string} text @param {Song[]} songs */
  #show(text, songs) {
    const content = [text, ...songs.map(({ id }) => id)].join("\n");
    if (content === this.#content) return;
    this.#content = content;
    this.replaceChildren(h("p", {}, text), h("ul", {}, ...songs.map((song) => this.#row(song))));
  }

  /** @param {Song} song */
  #row(song) {
    const remove = () => emit(this, "song-erase", song.id);
    const bytes = size(bytesKept(song));
    const label = t("space.remove", { song: song.name, size: bytes });
    return h("li", {}, h("button", { type: "button", onclick: remove }, label));
  }
}

customElements.define("storage-notice", StorageNotice);
