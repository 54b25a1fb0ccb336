/** Lack of storage for the stems, and the songs that could be removed. Emits `song-erase`. */

import { bytesFree, bytesKept, bytesNeeded, hasSpaceFor, removableSongs } from "../app/storage-space.js";
import { emit, h, setText } from "./dom.js";
import { size } from "./format.js";
import { t } from "./i18n.js";
import { KeyedList } from "./keyed-list.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

/** Songs that are offered for removal. */
const OFFERED = 3;

export class StorageNotice extends HTMLElement {
  #text = h("p");
  #list = h("ul");
  /** By the song's id. */
  #offers = new KeyedList(this.#list, (id) => {
    const button = h("button", { type: "button", onclick: () => emit(this, "song-erase", id) });
    return { element: h("li", {}, button), button };
  });

  connectedCallback() {
    this.setAttribute("role", "alert");
    this.append(this.#text, this.#list);
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
    setText(this.#text, text);
    const offers = this.#offers.show(songs.map(({ id }) => id));
    for (const [place, song] of songs.entries()) {
      const facts = { song: song.name, size: size(bytesKept(song)) };
      setText(offers[place].button, t("space.remove", facts));
    }
  }
}

customElements.define("storage-notice", StorageNotice);
