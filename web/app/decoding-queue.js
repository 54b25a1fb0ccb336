/** Songs from files into the storage, one after another. */

import { cancelled, describe } from "../base/errors.js";
import { removeSong } from "../library/songs.js";
import { read } from "./song.js";

/** @typedef {import("./song.js").Song} Song */
/** @typedef {(song: Song, changes: Partial<Song>) => void} Change */

export class DecodingQueue {
  #change;
  #last = Promise.resolve();
  /** @type {Map<Song, AbortController>} */
  #open = new Map();

  /** @param {Change} change */
  constructor(change) {
    this.#change = change;
  }

  /**
   * @param {Song} song
   * @returns {Promise<void>} when its samples are there, or it has failed
   */
  read(song) {
    this.#open.set(song, new AbortController());
    this.#last = this.#last.then(() => this.#read(song));
    return this.#last;
  }

  /** Let go of a song. @param {Song} song */
  forget(song) {
    this.#open.get(song)?.abort(cancelled());
    this.#open.delete(song);
  }

  /** @param {Song} song */
  async #read(song) {
    const signal = this.#open.get(song)?.signal;
    if (!signal || !song.file) return;
    try {
      const { decodeSong } = await import("../decode/page/client.js");
      const found = await decodeSong(song.file, song.name, song.folder, signal, (fraction) =>
        this.#change(song, { read: fraction }),
      );
      this.#change(song, { ...read(found), status: song.plan ? "waiting" : "ready" });
    } catch (reason) {
      if (song.folder) await removeSong(song.id);
      this.#change(song, { status: "failed", error: describe(reason) });
    }
  }
}
