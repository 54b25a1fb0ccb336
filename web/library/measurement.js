/** What is measured of a song while it is read: its level, which models need, and peaks, to draw it. */

import { DemixError } from "../base/errors.js";

/** Offset and scale of the mean of the channels: `demixer.normalisation.Normalisation`. @typedef {{ offset: number, scale: number }} Normalisation */

/** Pairs of peaks for a whole song, at most: enough for a wide, dense screen that shows a thirtieth of it. */
const MOST_PAIRS = 1 << 16;

const SHORTEST_HOP = 64;

/** Keeps a song of silence from being divided by zero. */
const FLOOR = 1e-8;

/** Samples to a pair of peaks. @param {number} length of the song in samples */
export function hopFor(length) {
  return Math.max(SHORTEST_HOP, 2 ** Math.ceil(Math.log2(length / MOST_PAIRS)));
}

/** Takes a song in pieces that are multiples of any hop, but for the last one. */
export class Measurement {
  #hop;
  #length = 0;
  #total = 0;
  #squares = 0;
  /** [lowest, highest] of each hop, one after another. @type {number[]} */ #peaks = [];

  /** @param {number} [hop] samples to a pair of peaks, at first */
  constructor(hop = SHORTEST_HOP) {
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
      const hint = "Export it again from the program that made it, as 24-bit WAV for example.";
      throw new DemixError("audio/not-finite", "The file contains samples that are not numbers.", hint);
    }
    this.#length += frames;
    while (this.#peaks.length > 2 * MOST_PAIRS) this.#halve();
  }

  /** Offset and scale of the mean of the channels: the twin of `Meter` in `demixer.normalisation`. @returns {Normalisation} */
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

  /** Two hops become one. */
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
