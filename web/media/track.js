/**
 * A stem or the song itself, as the player and the exports read it: samples that are there from the
 * beginning up to `available`, and peaks for drawing. Reading is asynchronous, so that the samples may lie
 * in storage as well as in memory.
 */

/** @typedef {import("../engine/protocol.js").StemChunk} StemChunk */

export class Track {
  #channels;
  #available = 0;
  #drawn = 0;

  /**
   * @param {string} name
   * @param {Float32Array[]} channels room for the whole length
   * @param {Float32Array} peaks [lowest, highest] pairs of `hop` samples each
   * @param {number} hop
   */
  constructor(name, channels, peaks, hop) {
    this.name = name;
    this.peaks = peaks;
    this.hop = hop;
    this.#channels = channels;
  }

  /**
   * A track that is filled piece by piece.
   * @param {string} name
   * @param {number} channels
   * @param {number} length in samples
   * @param {number} hop
   */
  static empty(name, channels, length, hop) {
    const samples = Array.from({ length: channels }, () => new Float32Array(length));
    return new Track(name, samples, new Float32Array(2 * Math.ceil(length / hop)), hop);
  }

  /**
   * A track that is complete.
   * @param {string} name
   * @param {Float32Array[]} channels
   * @param {Float32Array} peaks
   * @param {number} hop
   */
  static complete(name, channels, peaks, hop) {
    const track = new Track(name, channels, peaks, hop);
    track.#available = track.length;
    track.#drawn = peaks.length;
    return track;
  }

  get channelCount() {
    return this.#channels.length;
  }

  get length() {
    return this.#channels[0].length;
  }

  /** Samples from the beginning that are final. */
  get available() {
    return this.#available;
  }

  /** Pairs of peaks that are final. */
  get drawn() {
    return this.#drawn / 2;
  }

  /**
   * @param {number} start where the chunk belongs
   * @param {StemChunk} chunk the next samples, in order
   */
  append(start, chunk) {
    for (const [index, samples] of chunk.channels.entries()) this.#channels[index].set(samples, start);
    this.#available = start + chunk.channels[0].length;
    this.peaks.set(chunk.peaks, this.#drawn);
    this.#drawn += chunk.peaks.length;
  }

  /**
   * @param {number} start
   * @param {number} stop
   * @returns {Promise<Float32Array<ArrayBuffer>[]>} copies, one for each channel, that the caller may give away
   */
  async read(start, stop) {
    return this.#channels.map((samples) => new Float32Array(samples.subarray(start, stop)));
  }
}
