/**
 * While songs are separated: progress in the page's title, a screen that stays on, and a question before the page
 * closes.
 */

import { isWriting } from "../app/state.js";
import { canNotify, notify } from "../platform/notification.js";
import { WakeLock } from "../platform/wake-lock.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";
import { isUnderWay } from "./job-view.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

export class Attention {
  #title = document.title;
  #wakeLock = new WakeLock();
  #busy = false;
  /** Ids of songs that are being separated. @type {Set<string>} */
  #working = new Set();
  /** The song that was finished while the page was hidden. @type {Song | null} */
  #finished = null;

  /** @param {import("../app/store.js").Store<PageState>} store */
  constructor(store) {
    store.subscribe((state) => this.#follow(state));
    addEventListener("beforeunload", (event) => {
      if (this.#busy) event.preventDefault();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#finished = null;
      this.#follow(store.state);
    });
  }

  /** @param {PageState} state */
  #follow(state) {
    const { songs } = state;
    for (const song of songs) this.#followSong(song);
    const working = songs.find(({ status }) => status === "working");
    this.#busy = isWriting(state) || songs.some(isUnderWay);
    this.#wakeLock.hold(working !== undefined);
    const title = this.#titleFor(working);
    if (document.title !== title) document.title = title;
  }

  /** @param {Song} song */
  #followSong(song) {
    if (song.status === "working") this.#working.add(song.id);
    if (song.status !== "done" || !this.#working.delete(song.id)) return;
    if (!document.hidden) return;
    this.#finished = song;
    if (canNotify()) notify(t("notify.done", { song: song.name }));
  }

  /** @param {Song | undefined} working */
  #titleFor(working) {
    if (working?.progress) {
      const { fraction } = working.progress.view();
      return t("title.working", { percent: percent(fraction), song: working.name });
    }
    return this.#finished ? t("title.done", { song: this.#finished.name }) : this.#title;
  }
}
