/**
 * A stem or the song itself, as the player and the exports read it: samples that are there from the
 * beginning up to `available`, and peaks for drawing. Reading is asynchronous, so that the samples may lie
 * in storage as well as in memory.
 */

/** @typedef {import("../engine/protocol.js").StemChunk} StemChunk */

export class Track {
  /**
   * Kept as they came: joining them would stop the page for the time of a long copy.
   * @type {{ start: number, channels: Float32Array[] }[]}
   */
  #pieces = [];
  #available = 0;
  #drawn = 0;

  /**
   * A track that is filled piece by piece.
   * @param {string} name
   * @param {number} channelCount
   * @param {number} length in samples
   * @param {number} hop samples to a pair of peaks
   */
  constructor(name, channelCount, length, hop) {
    this.name = name;
    this.channelCount = channelCount;
    this.length = length;
    /** [lowest, highest] pairs of `hop` samples each. */
    this.peaks = new Float32Array(2 * Math.ceil(length / hop));
  }

  /**
   * A track that is complete.
   * @param {string} name
   * @param {Float32Array[]} channels
   * @param {Float32Array} peaks none where they are not known yet
   * @param {number} hop
   */
  static complete(name, channels, peaks, hop) {
    const track = new Track(name, channels.length, channels[0].length, hop);
    track.append(0, { name, channels, peaks });
    return track;
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
  append(start, { channels, peaks }) {
    this.#pieces.push({ start, channels });
    this.#available = start + channels[0].length;
    this.peaks.set(peaks, this.#drawn);
    this.#drawn += peaks.length;
  }

  /**
   * @param {number} start
   * @param {number} stop at most `available`
   * @returns {Promise<Float32Array<ArrayBuffer>[]>} copies, one for each channel, that the caller may give away
   */
  async read(start, stop) {
    const copies = Array.from({ length: this.channelCount }, () => new Float32Array(stop - start));
    for (const piece of this.#pieces) {
      const from = Math.max(start, piece.start);
      const to = Math.min(stop, piece.start + piece.channels[0].length);
      if (from >= to) continue;
      for (const [index, channel] of piece.channels.entries()) {
        copies[index].set(channel.subarray(from - piece.start, to - piece.start), from - start);
      }
    }
    return copies;
  }
}
