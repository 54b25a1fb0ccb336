/** Reads stored audio in a worker, as a `Source` of Python. */

import { free } from "../base/buffers.js";
import { ORIGINAL } from "./layout.js";
import { accessTo, fileIn, openFolder } from "./opfs.js";
import { fromBlobs, gather, pieceName } from "./pieces.js";

/** @typedef {import("./pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("./opfs.js").Folder} Folder */
/** @typedef {import("./pieces.js").Piece} Piece */

const BYTES = Float32Array.BYTES_PER_ELEMENT;

export class AudioReader {
  #pieces;
  #folder;
  #fromBlobs;

  /** @param {StoredAudio} audio @param {Folder | null} folder null to read from blobs */
  constructor({ rate, channels, length, pieces }, folder) {
    this.rate = rate;
    this.channels = channels;
    this.length = length;
    this.#pieces = pieces;
    this.#folder = folder;
    this.#fromBlobs = fromBlobs(channels);
  }

  /** @param {StoredAudio} audio */
  static async open(audio) {
    const { folder } = audio;
    return new AudioReader(audio, folder === null ? null : await openFolder(`${folder}/${ORIGINAL}`));
  }

  /**
   * @param {number} start
   * @param {number} stop
   * @returns {Promise<Float32Array<ArrayBuffer>>} interleaved
   */
  read(start, stop) {
    return gather(this.#pieces, this.channels, start, stop, (...part) => this.#fill(...part));
  }

  /** Frees the memory of samples that were read. @param {Float32Array<ArrayBuffer>} samples */
  free(samples) {
    free([samples]);
  }

  /**
   * @param {Piece} piece
   * @param {number} start
   * @param {Float32Array<ArrayBuffer>} samples
   */
  async #fill(piece, start, samples) {
    const access = await this.#access(piece);
    if (!access) return this.#fromBlobs(piece, start, samples);
    try {
      access.read(samples, { at: start * this.channels * BYTES });
    } finally {
      access.close();
    }
  }

  /**
   * Synchronous access is several times as fast as a blob's, but exclusive.
   * @param {Piece} piece
   * @returns {Promise<FileSystemSyncAccessHandle | null>} null when another reader holds it, or the audio is in memory
   */
  async #access({ start }) {
    if (!this.#folder) return null;
    return accessTo(await fileIn(this.#folder, pieceName(start))).catch(() => null);
  }
}
