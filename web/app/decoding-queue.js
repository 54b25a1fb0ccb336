/** Decodes songs into the browser's storage, one after another. */

import { cancelled, describe } from "../base/errors.js";
import { decodeSong } from "../decode/page/client.js";
import { removeSong } from "../library/songs.js";

/** @typedef {import("./songs.js").Songs} Songs */

export class DecodingQueue {
  #songs;
  #last;
  /** Of the songs that are decoded or wait for it, by id. @type {Map<string, AbortController>} */
  #controllers = new Map();

  /**
   * @param {Songs} songs
   * @param {Promise<void>} settled no worker loads before
   */
  constructor(songs, settled) {
    this.#songs = songs;
    this.#last = settled;
  }

  /**
   * @param {string} id of a song that is decoding
   * @returns {Promise<void>} resolves when it is decoded or has failed; never rejects
   */
  decode(id) {
    const controller = new AbortController();
    this.#controllers.set(id, controller);
    this.#last = this.#last.then(() => this.#decode(id, controller.signal));
    return this.#last;
  }

  /** Stops decoding a song that is being erased. @param {string} id */
  forget(id) {
    this.#controllers.get(id)?.abort(cancelled());
    this.#controllers.delete(id);
  }

  /** Must not reject: later songs wait for it. @param {string} id @param {AbortSignal} signal */
  async #decode(id, signal) {
    const song = this.#songs.find(id);
    if (!song?.file || signal.aborted) return;
    const { file, name, folder } = song;
    try {
      const report = (/** @type {number} */ fraction) => this.#songs.send(id, "decoding", fraction);
      this.#songs.send(id, "decoded", await decodeSong(file, name, folder, signal, report));
    } catch (reason) {
      // A folder that cannot be removed now has no record, and goes at the next visit.
      if (folder) await removeSong(id).catch(() => {});
      this.#songs.send(id, "failed", describe(reason));
    } finally {
      this.#controllers.delete(id);
    }
  }
}
