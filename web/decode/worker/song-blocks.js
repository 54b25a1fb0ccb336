/** Collects decoded samples of any length into blocks of one second, and leaves out the encoder's padding. */

import { DemixError } from "../../base/errors.js";

/** @typedef {import("../protocol.js").Planar} Planar */
/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./padding.js").Gap} Gap */
/** @typedef {import("./padding.js").Padding} Padding */

/**
 * @typedef {Pick<import("../../vendor/mediabunny/mediabunny.mjs").AudioSample,
 *   "sampleRate" | "numberOfChannels" | "numberOfFrames" | "copyTo" | "close">} Samples
 */

/** 24 dB above full scale: louder is what decoders make of damaged packets. `demixer.runtimes.decoders` has the same. */
const LOUDEST = 16;

/**
 * The song among decoded samples.
 * @param {AsyncIterable<Samples>} decoded closed here
 * @param {Padding} padding
 * @param {(seconds: number) => number} fraction of the file, from the seconds decoded
 * @param {() => void} [reportDamage] called when samples are silent that no song has
 * @returns {AsyncGenerator<Block>}
 */
export function songBlocks(decoded, { gaps, tail }, fraction, reportDamage = () => {}) {
  const blocks = allBlocks(decoded, gaps, fraction, reportDamage);
  return tail > 0 ? withoutEnd(tail, blocks) : blocks;
}

/** Decoded samples of a whole file, as `songBlocks` takes them. @param {Planar} planar @returns {AsyncGenerator<Samples>} */
export async function* planarSamples({ rate, channels }) {
  const { length } = channels[0];
  for (let start = 0; start < length; start += rate) {
    const planes = channels.map((plane) => plane.subarray(start, start + rate));
    yield {
      sampleRate: rate,
      numberOfChannels: planes.length,
      numberOfFrames: planes[0].length,
      copyTo: (destination, { planeIndex }) =>
        /** @type {Float32Array} */ (destination).set(planes[planeIndex]),
      close() {},
    };
  }
}

/**
 * Leaves out samples at the start.
 * @param {number} count
 * @param {AsyncIterable<Block>} blocks
 * @returns {AsyncGenerator<Block>}
 */
export async function* withoutStart(count, blocks) {
  let left = count;
  for await (const block of blocks) {
    const { length } = block.channels[0];
    if (left === 0) yield block;
    else if (left < length) yield { ...block, channels: block.channels.map((plane) => plane.slice(left)) };
    left = Math.max(0, left - length);
  }
}

/**
 * Leaves out the end, which is shorter than a block.
 * @param {number} seconds
 * @param {AsyncIterable<Block>} blocks
 * @returns {AsyncGenerator<Block>}
 */
async function* withoutEnd(seconds, blocks) {
  /** @type {Block[]} the last two: the end may begin in the one before the last */
  const held = [];
  for await (const block of blocks) {
    held.push(block);
    if (held.length > 2) yield/** @type {Block} */ (held.shift());
  }
  const total = held.reduce((sum, { channels }) => sum + channels[0].length, 0);
  let left = Math.max(0, total - Math.round(seconds * (held[0]?.rate ?? 0)));
  for (const block of held) {
    const length = Math.min(left, block.channels[0].length);
    if (length > 0) yield { ...block, channels: block.channels.map((plane) => plane.slice(0, length)) };
    left -= length;
  }
}

/**
 * @param {AsyncIterable<Samples>} decoded
 * @param {Gap[]} gaps
 * @param {(seconds: number) => number} fraction
 * @param {() => void} reportDamage
 * @returns {AsyncGenerator<Block>}
 */
async function* allBlocks(decoded, gaps, fraction, reportDamage) {
  let rate = 0;
  /** @type {SongBlocks | null} */
  let song = null;
  try {
    for await (const samples of decoded) {
      try {
        rate ||= samples.sampleRate;
        song ??= new SongBlocks(samples.numberOfChannels, rate, gaps, reportDamage);
        if (!song.matches(samples)) throw formatChange();
        for (const channels of song.add(samples)) {
          yield { rate, channels, fraction: fraction(song.seconds) };
        }
      } finally {
        samples.close();
      }
    }
  } catch (error) {
    if (song) yield* song.rest(fraction(song.seconds));
    throw error;
  }
  if (song) yield* song.rest(1);
}

export function formatChange() {
  const message = "The sample rate or the number of channels changes in the middle of the song.";
  return new DemixError("audio/unsupported", message);
}

class SongBlocks {
  #rate;
  #gaps;
  #reportDamage;
  #planes;
  #filled = 0;
  #decoded = 0;

  /**
   * @param {number} channels
   * @param {number} rate in Hz
   * @param {Gap[]} gaps to leave out, in order
   * @param {() => void} reportDamage
   */
  constructor(channels, rate, gaps, reportDamage) {
    this.#rate = rate;
    this.#reportDamage = reportDamage;
    this.#gaps = gaps.map((gap) => gap.map((seconds) => Math.round(seconds * rate)));
    this.#planes = planes(channels, rate);
  }

  /** Seconds decoded so far. */
  get seconds() {
    return this.#decoded / this.#rate;
  }

  /** True when samples have this rate and these channels. @param {Samples} samples */
  matches(samples) {
    return samples.sampleRate === this.#rate && samples.numberOfChannels === this.#planes.length;
  }

  /**
   * @param {Samples} samples the next ones
   * @returns {Generator<Float32Array<ArrayBuffer>[]>} the blocks that they complete
   */
  *add(samples) {
    const start = this.#decoded;
    this.#decoded += samples.numberOfFrames;
    // All frames at once: WebKitGTK crashes when it converts some of them.
    const decoded = this.#planes.map((_, planeIndex) => {
      const plane = new Float32Array(samples.numberOfFrames);
      samples.copyTo(plane, { planeIndex, format: "f32-planar" });
      return plane;
    });
    if (!decoded.every(isSound)) {
      for (const plane of decoded) plane.fill(0);
      this.#reportDamage();
    }
    for (const [from, to] of this.#outsideGaps(start, this.#decoded)) {
      for (let at = from; at < to; ) {
        const frameCount = Math.min(to - at, this.#rate - this.#filled);
        const part = [at - start, at - start + frameCount];
        for (const [index, plane] of this.#planes.entries()) {
          plane.set(decoded[index].subarray(...part), this.#filled);
        }
        at += frameCount;
        this.#filled += frameCount;
        if (this.#filled === this.#rate) yield this.flush();
      }
    }
  }

  /** The last samples, if there are some, as a block. @param {number} fraction @returns {Generator<Block>} */
  *rest(fraction) {
    const channels = this.flush();
    if (channels[0].length > 0) yield { rate: this.#rate, channels, fraction };
  }

  /** Ends the block early, and returns it in buffers that the caller owns. */
  flush() {
    const block = this.#planes.map((plane) =>
      this.#filled < plane.length ? plane.slice(0, this.#filled) : plane,
    );
    this.#planes = planes(block.length, this.#rate);
    this.#filled = 0;
    return block;
  }

  /**
   * The parts of a range of samples outside the gaps.
   * @param {number} from
   * @param {number} to
   * @returns {Generator<[number, number]>}
   */
  *#outsideGaps(from, to) {
    let at = from;
    for (const [start, stop] of this.#gaps) {
      if (at < Math.min(start, to)) yield [at, Math.min(start, to)];
      at = Math.max(at, stop);
    }
    if (at < to) yield [at, to];
  }
}

/** False for samples that no song has. @param {Float32Array} plane */
function isSound(plane) {
  return plane.every((sample) => Math.abs(sample) <= LOUDEST);
}

/** @param {number} channels @param {number} length */
function planes(channels, length) {
  return Array.from({ length: channels }, () => new Float32Array(length));
}
