/**
 * A stem or the song itself, as the player and the exports read it: pieces that follow each other from
 * `begin` up to `available`, and peaks for drawing. The samples lie in the browser's storage.
 */

import { Measurement } from "./measurement.js";
import { fromBlobs, gather } from "./pieces.js";

/** @typedef {import("./pieces.js").Piece} Piece */

/** Samples that are measured together: a multiple of any hop. */
const BLOCK = 1 << 17;

/**
 * @typedef {object} Peaks [lowest, highest] pairs
 * @property {Float32Array} values
 * @property {number} hop samples to a pair
 * @property {number} origin sample of the first pair
 * @property {number} start sample from which on they are final
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
   * @param {number} hop samples to a pair of peaks
   * @param {{ start: number, stop: number }} [range] the part of it that there will be, from a multiple of `hop` on
   */
  constructor(name, channelCount, length, hop, { start, stop } = { start: 0, stop: length }) {
    this.name = name;
    this.channelCount = channelCount;
    this.length = length;
    this.hop = hop;
    this.begin = start;
    this.end = stop;
    /** [lowest, highest] pairs of `hop` samples each. */
    this.peaks = new Float32Array(2 * Math.ceil(length / hop));
  }

  /** Those that are there, in their order. */
  get pieces() {
    return this.#pieces;
  }

  /** Up to this sample all is final. */
  get available() {
    const last = this.#pieces.at(-1);
    return last ? last.start + last.length : this.begin;
  }

  /** Up to this pair all peaks are final. */
  get drawn() {
    return this.begin / this.hop + this.#drawn / 2;
  }

  /**
   * @param {Piece[]} pieces the next ones; those from the beginning replace all that there were
   * @param {Float32Array} peaks the next ones
   */
  append(pieces, peaks) {
    if (pieces[0]?.start === this.begin) {
      this.#pieces = [];
      this.#drawn = 0;
    }
    this.#pieces.push(...pieces);
    this.draw(peaks);
  }

  /** @param {Float32Array} peaks the next ones */
  draw(peaks) {
    this.peaks.set(peaks, (2 * this.begin) / this.hop + this.#drawn);
    this.#drawn += peaks.length;
  }

  /** Those of the whole song. @returns {Peaks} */
  get overview() {
    return { values: this.peaks, hop: this.hop, origin: 0, start: this.begin, stop: this.drawn * this.hop };
  }

  /**
   * Finer ones of a part, from its samples.
   * @param {number} start
   * @param {number} stop at most `available`
   * @param {number} hop a power of two, such that there are some ten thousand pairs at most
   * @returns {Promise<Peaks>}
   */
  async look(start, stop, hop) {
    const survey = new Measurement(hop);
    for (let at = start; at < stop; at += BLOCK) {
      const until = Math.min(at + BLOCK, stop);
      survey.add(await this.#gather(at, until), this.channelCount);
    }
    return { values: survey.peaks, hop, origin: start, start, stop };
  }

  /**
   * @param {number} start
   * @param {number} stop at most `available`
   * @returns {Promise<Float32Array<ArrayBuffer>[]>} one array for each channel, which the caller may give away
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
