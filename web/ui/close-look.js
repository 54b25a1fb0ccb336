/** Finer peaks of the part that is looked at, where those of the whole song are coarser than the screen. */

/** @typedef {import("../library/track.js").Peaks} Peaks */
/** @typedef {import("../library/track.js").Track} Track */

/** Of what is seen, this part is read at either side of it, so that scrolling finds it there. */
const MARGIN = 0.5;

/** Samples that are read for it at most: the part that is seen of a song of many hours may be longer. */
const MOST_SAMPLES = 1 << 23;

export class CloseLook {
  #arrived;
  /** @type {Track | null} */
  #track = null;
  /** @type {Peaks | null} */
  #peaks = null;
  #reading = false;

  /** @param {() => void} arrived once there is more to draw */
  constructor(arrived) {
    this.#arrived = arrived;
  }

  /**
   * @param {Track} track
   * @param {number} first sample that is seen
   * @param {number} last
   * @param {number} width in pixels
   * @returns {Peaks} the finest that are there, while finer ones are read
   */
  peaks(track, first, last, width) {
    const hop = 2 ** Math.floor(Math.log2(Math.max(1, (last - first) / width)));
    const from = Math.max(track.begin, first);
    const to = Math.min(track.available, last);
    if (hop >= track.hop || to <= from) return track.overview;
    const near = this.#track === track ? this.#peaks : null;
    const seen = near !== null && near.start <= from && near.stop >= to;
    if (seen && near.hop <= hop) return near;
    const margin = MARGIN * (last - first);
    const start = Math.max(track.begin, Math.floor(first - margin));
    const stop = Math.min(track.available, Math.ceil(last + margin));
    if (stop - start <= MOST_SAMPLES) void this.#read(track, start, stop, hop);
    return seen ? near : track.overview;
  }

  /**
   * One part at a time: by then another one may be wanted.
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
      return; // the song has been removed: those of the whole song will do
    } finally {
      this.#reading = false;
    }
    this.#arrived();
  }
}
