/** Peaks of the visible part of a track, finer than the overview of the whole track. */

/** @typedef {import("../library/track.js").Peaks} Peaks */
/** @typedef {import("../library/track.js").Track} Track */

/** This fraction of the visible part is read beyond either end, for scrolling. */
const MARGIN = 0.5;

/** Most samples to read at once; the visible part of a song of many hours may be longer. */
const MOST_SAMPLES = 1 << 23;

export class FinePeaks {
  #loaded;
  /** @type {Track | null} */
  #track = null;
  /** @type {Peaks | null} */
  #peaks = null;
  #reading = false;

  /** @param {() => void} loaded called when finer peaks have been read */
  constructor(loaded) {
    this.#loaded = loaded;
  }

  /**
   * The finest peaks that are loaded; finer ones are read in the background when the screen can show them.
   * @param {Track} track
   * @param {number} first visible sample
   * @param {number} last
   * @param {number} width in pixels
   * @returns {Peaks}
   */
  peaks(track, first, last, width) {
    const hop = 2 ** Math.floor(Math.log2(Math.max(1, (last - first) / width)));
    const start = Math.max(track.begin, first);
    const stop = Math.min(track.available, last);
    if (hop >= track.hop || stop <= start) return track.overview;
    const fine = this.#track === track ? this.#peaks : null;
    const covered = fine !== null && fine.start <= start && fine.stop >= stop;
    if (covered && fine.hop <= hop) return fine;
    const margin = MARGIN * (last - first);
    const from = Math.max(track.begin, Math.floor(first - margin));
    const to = Math.min(track.available, Math.ceil(last + margin));
    if (to - from <= MOST_SAMPLES) void this.#read(track, from, to, hop);
    return covered ? fine : track.overview;
  }

  /**
   * Reads one part at a time; after `#loaded`, the next drawing reads another part that has become visible.
   * @param {Track} track
   * @param {number} start
   * @param {number} stop
   * @param {number} hop
   */
  async #read(track, start, stop, hop) {
    if (this.#reading) return;
    this.#reading = true;
    try {
      this.#peaks = await track.measurePeaks(start, stop, hop);
      this.#track = track;
    } catch {
      return; // the song has been removed
    } finally {
      this.#reading = false;
    }
    this.#loaded();
  }
}
