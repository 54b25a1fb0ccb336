/** The songs in their order, each with its own state. */

import { h, setText, tell } from "./dom.js";
import { clock, percent } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../app/song.js").Song} Song */

const ICONS = {
  reading: "hourglass",
  ready: "music",
  waiting: "clock",
  working: "audio-lines",
  done: "check",
  failed: "triangle-alert",
};

class SongRow {
  #song;
  #status = h("span", { class: "song-status" });
  #state = h("span", { class: "song-icon" });
  #length = h("span", { class: "song-length" });
  #open = h("button", { type: "button", class: "song-open" });
  /** @type {Song["status"] | null} */
  #shown = null;

  /** @param {Song} song */
  constructor(song) {
    this.#song = song;
    this.#open.append(this.#state, h("span", { class: "song-name" }, song.name), this.#length, this.#status);
    const remove = h("button", {
      type: "button",
      class: "quiet",
      "aria-label": t("song.remove", { song: song.name }),
    });
    remove.append(icon("x"));
    this.element = h("li", {}, this.#open, remove);
    this.#open.addEventListener("click", () => tell(this.element, "song-select", song.id));
    remove.addEventListener("click", () => tell(this.element, "song-remove", song.id));
  }

  /** @param {boolean} selected */
  render(selected) {
    const { status, duration } = this.#song;
    this.#open.setAttribute("aria-current", String(selected));
    this.element.dataset.status = status;
    if (this.#shown !== status) {
      this.#shown = status;
      this.#state.replaceChildren(icon(ICONS[status]));
    }
    setText(this.#length, duration ? clock(duration) : "");
    setText(this.#status, this.#statusText());
  }

  #statusText() {
    const { status, read, progress, unfinished } = this.#song;
    if (status === "reading") return t("song.status.reading", { percent: percent(read) });
    if (status === "ready" && unfinished)
      return t("song.status.unfinished", { percent: percent(unfinished.fraction) });
    if (status !== "working" || !progress) return t(`song.status.${status}`);
    return t("song.status.working", { percent: percent(progress.view(performance.now() / 1000).fraction) });
  }
}

export class SongQueue extends HTMLElement {
  #list = h("ol");
  /** @type {Map<Song, SongRow>} */
  #rows = new Map();

  connectedCallback() {
    this.#list.setAttribute("aria-label", t("queue.label"));
    this.append(this.#list);
  }

  /** @param {PageState} state */
  render({ songs, selected }) {
    this.hidden = songs.length === 0 || (songs.length === 1 && songs[0].id === selected);
    for (const [song, row] of this.#rows) {
      if (songs.includes(song)) continue;
      row.element.remove();
      this.#rows.delete(song);
    }
    for (const song of songs) {
      let row = this.#rows.get(song);
      if (!row) {
        row = new SongRow(song);
        this.#rows.set(song, row);
        this.#list.append(row.element);
      }
      row.render(song.id === selected);
    }
  }
}

customElements.define("song-queue", SongQueue);
