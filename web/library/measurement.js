/** Measures audio block by block: the normalisation that models need, and the peaks for drawing. */

import { DemixError } from "../base/errors.js";

/** Offset and scale of the mean of the channels, as `demixer.normalisation.Normalisation`. @typedef {{ offset: number, scale: number }} Normalisation */

/** Most pairs of peaks of a song: enough for a wide, dense screen that shows a thirtieth of it. */
const MAX_PAIRS = 1 << 16;

const MIN_HOP = 64;

/** Keeps the scale of silence above zero. */
const FLOOR = 1e-8;

/** Samples for each pair of peaks. @param {number} length of the song in samples */
export function hopFor(length) {
  return Math.max(MIN_HOP, 2 ** Math.ceil(Math.log2(length / MAX_PAIRS)));
}

/** Every block but the last must be a multiple of the hop, which doubles as a song grows. */
export class Measurement {
  #hop;
  #length = 0;
  #total = 0;
  #squares = 0;
  /** [lowest, highest] of each hop, one after another. @type {number[]} */ #peaks = [];

  /** @param {number} [hop] samples for each pair of peaks, to begin with */
  constructor(hop = MIN_HOP) {
    this.#hop = hop;
  }

  /**
   * @param {Float32Array} samples interleaved
   * @param {number} channels
   * @throws {DemixError} `audio/not-finite`
   */
  add(samples, channels) {
    const frames = samples.length / channels;
    for (let start = 0; start < frames; start += this.#hop) {
      const stop = Math.min(start + this.#hop, frames);
      this.#measure(samples.subarray(start * channels, stop * channels), channels);
    }
    if (!Number.isFinite(this.#squares)) {
      throw new DemixError("audio/not-finite", "The file contains samples that are not finite numbers.");
    }
    this.#length += frames;
    while (this.#peaks.length > 2 * MAX_PAIRS) this.#halve();
  }

  /** As `Meter` of `demixer.normalisation` measures it. @returns {Normalisation} */
  get normalisation() {
    const mean = this.#total / this.#length;
    const variance = Math.max(0, this.#squares - this.#total * mean) / Math.max(1, this.#length - 1);
    return { offset: mean, scale: Math.sqrt(variance) + FLOOR };
  }

  /** Lowest and highest sample of each hop, over all channels. */
  get peaks() {
    return Float32Array.from(this.#peaks);
  }

  /** @param {Float32Array} samples of one hop @param {number} channels */
  #measure(samples, channels) {
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < samples.length; index += channels) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel += 1) {
        const sample = samples[index + channel];
        sum += sample;
        if (sample < lowest) lowest = sample;
        if (sample > highest) highest = sample;
      }
      const mono = sum / channels;
      this.#total += mono;
      this.#squares += mono * mono;
    }
    this.#peaks.push(lowest, highest);
  }

  /** Joins every two hops. */
  #halve() {
    this.#hop *= 2;
    const joined = [];
    for (let index = 0; index < this.#peaks.length; index += 4) {
      const [lowest, highest, low = lowest, high = highest] = this.#peaks.slice(index, index + 4);
      joined.push(Math.min(lowest, low), Math.max(highest, high));
    }
    this.#peaks = joined;
  }
}
