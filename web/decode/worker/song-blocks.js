/** Collects decoded samples of any length into blocks of one second, and leaves out the encoder's padding. */

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").AudioSample} AudioSample */
/** @typedef {import("./padding.js").Gap} Gap */

export class SongBlocks {
  #rate;
  #gaps;
  #planes;
  #filled = 0;
  #decoded = 0;

  /**
   * @param {number} channels
   * @param {number} rate in Hz
   * @param {Gap[]} gaps to leave out, in order
   */
  constructor(channels, rate, gaps) {
    this.#rate = rate;
    this.#gaps = gaps.map((gap) => gap.map((seconds) => Math.round(seconds * rate)));
    this.#planes = planes(channels, rate);
  }

  /** Seconds decoded so far. */
  get seconds() {
    return this.#decoded / this.#rate;
  }

  /** True when samples have this rate and these channels. @param {AudioSample} samples */
  matches(samples) {
    return samples.sampleRate === this.#rate && samples.numberOfChannels === this.#planes.length;
  }

  /**
   * @param {AudioSample} samples the next ones
   * @returns {Generator<Float32Array<ArrayBuffer>[]>} the blocks that they complete
   */
  *add(samples) {
    const start = this.#decoded;
    this.#decoded += samples.numberOfFrames;
    for (const [from, to] of this.#outsideGaps(start, this.#decoded)) {
      for (let at = from; at < to; ) {
        const frameCount = Math.min(to - at, this.#rate - this.#filled);
        for (const [planeIndex, plane] of this.#planes.entries()) {
          const destination = plane.subarray(this.#filled, this.#filled + frameCount);
          samples.copyTo(destination, {
            planeIndex,
            format: "f32-planar",
            frameOffset: at - start,
            frameCount,
          });
        }
        at += frameCount;
        this.#filled += frameCount;
        if (this.#filled === this.#rate) yield this.flush();
      }
    }
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

/** @param {number} channels @param {number} length */
function planes(channels, length) {
  return Array.from({ length: channels }, () => new Float32Array(length));
}
