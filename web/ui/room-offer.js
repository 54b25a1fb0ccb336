/** Where the stems would not fit: the songs that could go, each with a button. */

import { bytesFree, bytesKept, bytesNeeded, couldGo, fits } from "../app/storage-space.js";
import { h, tell } from "./dom.js";
import { size } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

/** More to choose from would not help. */
const OFFERED = 3;

export class RoomOffer extends HTMLElement {
  #shown = "";

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
    const short = song?.format && model && song.status !== "done" && !fits(state, song, model);
    this.hidden = !full && !short;
    if (!song || this.hidden) return this.#show("", []);
    const songs = couldGo(state, song).slice(0, OFFERED);
    const needed = song.format && model ? bytesNeeded(song, model) : 0;
    const facts = { needed: size(needed), free: size(bytesFree(state)) };
    const text = [needed ? t("room.short", facts) : "", t(songs.length ? "room.offer" : "room.none")];
    this.#show(text.join(" ").trim(), songs);
  }

  /** @param {string} text @param {Song[]} songs */
  #show(text, songs) {
    const shown = [text, ...songs.map(({ id }) => id)].join("\n");
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.replaceChildren(h("p", {}, text), h("ul", {}, ...songs.map((song) => this.#row(song))));
  }

  /** @param {Song} song */
  #row(song) {
    const remove = () => tell(this, "song-erase", song.id);
    const bytes = size(bytesKept(song));
    const label = t("room.remove", { song: song.name, size: bytes });
    return h("li", {}, h("button", { type: "button", onclick: remove }, label));
  }
}

customElements.define("room-offer", RoomOffer);
