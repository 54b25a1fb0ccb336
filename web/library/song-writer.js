/** Writes the decoded blocks of a song as pieces of one length. Workers only. */

import { DemixError } from "../base/errors.js";
import { ORIGINAL, PEAKS, RECORDS } from "./layout.js";
import { Measurement } from "./measurement.js";
import { canWrite, folderIn, openFolder, writeFile, writeJson } from "./opfs.js";
import { writePiece } from "./pieces.js";

/** @typedef {import("./opfs.js").Folder} Folder */
/** @typedef {import("./pieces.js").Piece} Piece */
/** @typedef {import("./songs.js").DecodedSong} DecodedSong */
/** @typedef {import("./songs.js").Tags} Tags */

/** @typedef {{ rate: number, channels: Float32Array<ArrayBuffer>[] }} Planar samples by channel */

/** Samples in a piece: some ten seconds, so even a long song has only hundreds. */
const PIECE = 1 << 19;

export class SongWriter {
  #path;
  #folder;
  #originals;
  #rate = 0;
  #channels = 0;
  /** @type {Float32Array<ArrayBuffer>} */ #pending = new Float32Array();
  #filled = 0;
  #length = 0;
  #measurement = new Measurement();
  /** @type {Piece[]} */ #pieces = [];

  /**
   * @param {string | null} path of the song's folder; null to keep the song in memory
   * @param {Folder | null} folder
   * @param {Folder | null} originals for its pieces
   */
  constructor(path, folder, originals) {
    this.#path = path;
    this.#folder = folder;
    this.#originals = originals;
  }

  /** @param {string | null} path of the song's folder; null to keep it in memory, as where nothing can be written */
  static async open(path) {
    if (path === null || !(await canWrite())) return new SongWriter(null, null, null);
    const folder = await openFolder(path, { create: true });
    return new SongWriter(path, folder, await folderIn(folder, ORIGINAL, { create: true }));
  }

  /** @param {Planar} block that follows the previous one */
  async write({ rate, channels }) {
    this.#rate ||= rate;
    this.#channels ||= channels.length;
    const frames = channels[0].length;
    for (let start = 0; start < frames; ) {
      if (this.#pending.length === 0) this.#pending = new Float32Array(PIECE * this.#channels);
      const taken = Math.min(frames - start, PIECE - this.#filled);
      interleave(channels, start, taken, this.#pending.subarray(this.#filled * this.#channels));
      start += taken;
      this.#filled += taken;
      if (this.#filled === PIECE) await this.#flush();
    }
  }

  /**
   * Writes the rest of the samples, the peaks and the record.
   * @param {string} name of the song
   * @param {Tags} tags
   * @param {import("./songs.js").Loss | null} loss
   * @returns {Promise<DecodedSong>}
   * @throws {DemixError} `audio/empty`
   */
  async finish(name, tags, loss) {
    if (this.#filled > 0) await this.#flush();
    if (this.#length === 0) throw new DemixError("audio/empty", "The file has no audio samples.");
    const facts = { rate: this.#rate, channels: this.#channels, length: this.#length };
    const { normalisation, peaks } = this.#measurement;
    if (this.#folder) {
      await writeFile(this.#folder, PEAKS, peaks);
      await writeJson(this.#folder, RECORDS.song, {
        name,
        tags,
        loss,
        added: Date.now(),
        ...facts,
        normalisation,
      });
    }
    return { ...facts, folder: this.#path, tags, loss, normalisation, peaks, pieces: this.#pieces };
  }

  async #flush() {
    const samples = this.#pending.subarray(0, this.#filled * this.#channels);
    this.#measurement.add(samples, this.#channels);
    this.#pieces.push(await writePiece(this.#originals, this.#length, samples, this.#channels));
    this.#length += this.#filled;
    this.#filled = 0;
  }
}

/**
 * @param {Float32Array[]} channels
 * @param {number} start
 * @param {number} frames
 * @param {Float32Array} samples
 */
function interleave(channels, start, frames, samples) {
  const count = channels.length;
  for (let channel = 0; channel < count; channel += 1) {
    const source = channels[channel];
    for (let frame = 0; frame < frames; frame += 1) samples[frame * count + channel] = source[start + frame];
  }
}
