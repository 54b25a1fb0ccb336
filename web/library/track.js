/**
 * A track is the song or a stem, as it is drawn, played and exported: peaks, and pieces without a gap from `begin` to
 * `available`. Its samples stay in the browser's storage.
 */

import { Measurement } from "./measurement.js";
import { fromBlobs, gather } from "./pieces.js";

/** @typedef {import("./pieces.js").Piece} Piece */

/** Samples that are measured together; a multiple of any hop. */
const BLOCK = 1 << 17;

/**
 * @typedef {object} Peaks [lowest, highest] pairs
 * @property {Float32Array} values
 * @property {number} hop samples for each pair
 * @property {number} origin first sample of the first pair
 * @property {number} start first sample whose peaks are final
 * @property {number} stop
 */

export class Track {
  /** @type {Piece[]} */
  #pieces = [];
  #drawn = 0;

  /**
   * @param {string} name
   * @param {number} channelCount
   * @param {number} length in samples
   * @param {number} hop samples for each pair of peaks
   * @param {{ start: number, stop: number }} [range] the part that will be written; starts at a multiple of `hop`
   */
  constructor(name, channelCount, length, hop, { start, stop } = { start: 0, stop: length }) {
    this.name = name;
    this.channelCount = channelCount;
    this.length = length;
    this.hop = hop;
    this.begin = start;
    this.end = stop;
    /** [lowest, highest] of every `hop` samples. */
    this.peaks = new Float32Array(2 * Math.ceil(length / hop));
  }

  /** In order. */
  get pieces() {
    return this.#pieces;
  }

  /** End of the samples that are final. */
  get available() {
    const last = this.#pieces.at(-1);
    return last ? last.start + last.length : this.begin;
  }

  /** End of the pairs of peaks that are final. */
  get drawn() {
    return this.begin / this.hop + this.#drawn / 2;
  }

  /**
   * @param {Piece[]} pieces the next ones; a first piece replaces all earlier ones
   * @param {Float32Array} peaks the next ones
   */
  append(pieces, peaks) {
    if (pieces[0]?.start === this.begin) {
      this.#pieces = [];
      this.#drawn = 0;
    }
    this.#pieces.push(...pieces);
    this.appendPeaks(peaks);
  }

  /** @param {Float32Array} peaks the next ones */
  appendPeaks(peaks) {
    this.peaks.set(peaks, (2 * this.begin) / this.hop + this.#drawn);
    this.#drawn += peaks.length;
  }

  /** Peaks of the whole song. @returns {Peaks} */
  get overview() {
    return { values: this.peaks, hop: this.hop, origin: 0, start: this.begin, stop: this.drawn * this.hop };
  }

  /**
   * Finer peaks of a part, measured from its samples.
   * @param {number} start
   * @param {number} stop at most `available`
   * @param {number} hop a power of two that gives at most some ten thousand pairs
   * @returns {Promise<Peaks>}
   */
  async measurePeaks(start, stop, hop) {
    const measurement = new Measurement(hop);
    for (let at = start; at < stop; at += BLOCK) {
      const until = Math.min(at + BLOCK, stop);
      measurement.add(await this.#gather(at, until), this.channelCount);
    }
    return { values: measurement.peaks, hop, origin: start, start, stop };
  }

  /**
   * @param {number} start
   * @param {number} stop at most `available`
   * @returns {Promise<Float32Array<ArrayBuffer>[]>} one array for each channel, which the caller owns
   */
  async read(start, stop) {
    const count = this.channelCount;
    const samples = await this.#gather(start, stop);
    return Array.from({ length: count }, (_, channel) => everyNth(samples, count, channel));
  }

  /** Interleaved. @param {number} start @param {number} stop */
  #gather(start, stop) {
    return gather(this.#pieces, this.channelCount, start, stop, fromBlobs(this.channelCount));
  }
}

/** One channel of interleaved samples. @param {Float32Array} samples @param {number} count @param {number} channel */
function everyNth(samples, count, channel) {
  const picked = new Float32Array(samples.length / count);
  for (let frame = 0; frame < picked.length; frame += 1) picked[frame] = samples[frame * count + channel];
  return picked;
}
