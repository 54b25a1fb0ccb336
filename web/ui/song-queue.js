/**
 * The list of songs with their states. Emits `song-select`, `song-resume`, `song-cancel`, `song-remove` and
 * `song-move`.
 */

import { secondsLeft } from "../app/estimates.js";
import { emit, h, icon, iconButton, setText } from "./dom.js";
import { approximateTime, clock, percent } from "./format.js";
import { t } from "./i18n.js";
import { isUnderWay } from "./job-view.js";
import { KeyedList } from "./keyed-list.js";
import { tagsText } from "./texts.js";

/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../app/song.js").Song} Song */

const ICONS = {
  decoding: "hourglass",
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
  #tags = h("span", { class: "song-tags" });
  #open = h("button", { type: "button", class: "song-open" });
  #grip;
  #retry;
  #cancel;
  /** @type {Song["status"] | null} */
  #shown = null;

  /** @param {Song} song */
  constructor(song) {
    const { id, name } = song;
    this.#song = song;
    this.#grip = iconButton("grip-vertical", t("song.move", { song: name }));
    this.#retry = iconButton("rotate-ccw", t("song.retry", { song: name }));
    this.#cancel = iconButton("circle-x", t("song.cancel", { song: name }));
    const remove = iconButton("x", t("song.remove", { song: name }));
    const title = h("span", { class: "song-names" }, h("span", { class: "song-name" }, name), this.#tags);
    this.#open.append(this.#state, title, this.#length, this.#status);
    this.element = h("li", {}, this.#open, this.#retry, this.#cancel, this.#grip, remove);
    this.#grip.classList.add("grip");
    for (const each of [this.#retry, this.#cancel]) each.classList.add("sometimes");
    this.#open.addEventListener("click", () => emit(this.element, "song-select", id));
    this.#retry.addEventListener("click", () => emit(this.element, "song-resume", id));
    this.#cancel.addEventListener("click", () => emit(this.element, "song-cancel", id));
    remove.addEventListener("click", () => emit(this.element, "song-remove", id));
    this.#grip.addEventListener("keydown", (event) => this.#step(event));
    this.#grip.addEventListener("pointerdown", () => this.#grab());
  }

  /** @param {Song} song @param {boolean} selected */
  render(song, selected) {
    this.#song = song;
    const { status, duration, error, plan } = song;
    this.#open.setAttribute("aria-current", String(selected));
    this.element.dataset.status = status;
    if (this.#shown !== status) {
      this.#shown = status;
      this.#state.replaceChildren(icon(ICONS[status]));
    }
    this.#retry.hidden = !(status === "failed" && error?.retryable && plan);
    this.#cancel.hidden = !isUnderWay(this.#song);
    setText(this.#tags, tagsText(this.#song));
    setText(this.#length, duration ? clock(duration) : "");
    setText(this.#status, this.#statusText());
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.#move(by);
  }

  /** Listens on the window: a row that moves in the document would lose its pointer capture. */
  #grab() {
    const held = new AbortController();
    const { signal } = held;
    signal.addEventListener("abort", () => this.element.classList.remove("moving"));
    this.element.classList.add("moving");
    addEventListener("pointermove", ({ clientY }) => this.#drag(clientY), { signal });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => held.abort(), { signal });
  }

  /** Moves the row by one place when the pointer has passed a neighbour's middle. @param {number} y */
  #drag(y) {
    const { previousElementSibling: above, nextElementSibling: below } = this.element;
    if (above && y < middleOf(above)) this.#move(-1);
    else if (below && y > middleOf(below)) this.#move(1);
  }

  /** @param {number} by places */
  #move(by) {
    emit(this.element, "song-move", { id: this.#song.id, by });
  }

  #statusText() {
    const { status, decoded, progress, unfinished } = this.#song;
    if (status === "decoding") return t("song.status.decoding", { percent: percent(decoded) });
    if (status === "ready" && unfinished)
      return t("song.status.unfinished", { percent: percent(unfinished.fraction) });
    if (status !== "working" || !progress) return t(`song.status.${status}`);
    return t("song.status.working", { percent: percent(progress.view().fraction) });
  }
}

export class SongQueue extends HTMLElement {
  #summary = h("p", { class: "queue-summary" });
  #list = h("ol");
  /** @type {Song[]} */
  #songs = [];
  /** By the song's id. */
  #rows = new KeyedList(
    this.#list,
    (id) => new SongRow(/** @type {Song} */ (this.#songs.find((song) => song.id === id))),
  );

  connectedCallback() {
    this.#list.setAttribute("aria-label", t("queue.label"));
    this.append(this.#summary, this.#list);
  }

  /** @param {PageState} state */
  render(state) {
    const { songs, selected } = state;
    this.hidden = songs.length === 0 || (songs.length === 1 && songs[0].id === selected);
    this.#songs = songs;
    const rows = this.#rows.show(songs.map(({ id }) => id));
    for (const [place, song] of songs.entries()) rows[place].render(song, song.id === selected);
    setText(this.#summary, summaryText(state));
  }
}

/** Songs done, and the time left for all. @param {PageState} state */
function summaryText(state) {
  const { songs } = state;
  const done = songs.filter(({ status }) => status === "done").length;
  const parts = [t("queue.done", { done, count: songs.length })];
  const left = secondsLeft(state);
  if (left !== null) parts.push(t("queue.left", { time: approximateTime(left) }));
  return parts.join(" · ");
}

/** @param {Element} element */
function middleOf(element) {
  const { top, height } = element.getBoundingClientRect();
  return top + height / 2;
}

customElements.define("song-queue", SongQueue);
