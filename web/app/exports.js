/** Finished stems, handed to the browser's downloads. */

import { zipOfWavs } from "../media/archive.js";
import { save } from "../media/save.js";
import { wavBlob } from "../media/wav.js";

/** @typedef {import("../media/track.js").Track} Track */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {import("./song.js").Song} Song */

/** Writes one download at a time and tells of its progress through the store. */
export class Exports {
  #store;
  #last = Promise.resolve();

  /** @param {import("../ui/store.js").Store<PageState>} store */
  constructor(store) {
    this.#store = store;
  }

  /** @param {Song} song @param {Track} stem */
  stem({ name, format }, stem) {
    if (!format) return;
    this.#write(`${name} - ${stem.name}.wav`, async () => wavBlob(stem, format.rate));
  }

  /** @param {Song} song */
  all({ name, format, stems }) {
    if (!format) return;
    this.#write(`${name}.zip`, (progress) => zipOfWavs(name, stems, format.rate, progress));
  }

  /**
   * @param {string} name
   * @param {(progress: (fraction: number) => void) => Promise<Blob>} make
   */
  #write(name, make) {
    this.#last = this.#last.then(async () => {
      this.#store.set({ exporting: 0, problem: null });
      try {
        save(await make((exporting) => this.#store.set({ exporting })), name);
      } catch (reason) {
        this.#store.set({ problem: noRoom(reason) });
      } finally {
        this.#store.set({ exporting: null });
      }
    });
  }
}

/**
 * Files are put together from memory and the browser's own storage; nothing else can fail.
 * @param {unknown} reason
 * @returns {import("../engine/protocol.js").ErrorData}
 */
function noRoom(reason) {
  return { code: "storage/quota", message: String(reason), retryable: false };
}
