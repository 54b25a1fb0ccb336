/** The least room to begin with, and the most that a file's own claim about its length is trusted with. */
const MIN_FRAMES = 1 << 16;
const MAX_CLAIMED_FRAMES = 1 << 26;

/**
 * Planar samples that grow while a file is decoded. Where the page is isolated they lie in shared memory, so
 * that the engine reads them without a copy.
 */
export class SampleBuffer {
  #channels;
  #length = 0;

  /**
   * @param {number} channels
   * @param {number} expected frames; may be wrong
   */
  constructor(channels, expected) {
    const capacity = Math.min(Math.max(expected, MIN_FRAMES), MAX_CLAIMED_FRAMES);
    this.#channels = Array.from({ length: channels }, () => allocate(capacity));
  }

  /** Frames so far. */
  get length() {
    return this.#length;
  }

  /**
   * @param {number} frames
   * @param {(destination: Float32Array, channel: number) => void} fill writes the frames of one channel
   */
  append(frames, fill) {
    const stop = this.#length + frames;
    if (stop > this.#channels[0].length) this.#grow(Math.max(stop, 2 * this.#length));
    if (frames > 0) {
      for (const [index, samples] of this.#channels.entries())
        fill(samples.subarray(this.#length, stop), index);
    }
    this.#length = stop;
  }

  /**
   * @param {number} [before] samples to leave out at the start
   * @param {number} [after] and at the end
   * @returns {Float32Array[]} the samples, without the spare room
   */
  finish(before = 0, after = 0) {
    return this.#channels.map((samples) => samples.subarray(before, this.#length - after));
  }

  /** @param {number} capacity */
  #grow(capacity) {
    this.#channels = this.#channels.map((samples) => {
      const larger = allocate(capacity);
      larger.set(samples);
      return larger;
    });
  }
}

/** @param {number} frames */
function allocate(frames) {
  const bytes = frames * Float32Array.BYTES_PER_ELEMENT;
  return new Float32Array(crossOriginIsolated ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
}
