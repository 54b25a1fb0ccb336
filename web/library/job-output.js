/**
 * Writes the stems of a job segment by segment: pieces, then the resume point. A job that ends at any moment leaves whole
 * pieces, and a resume point for those before it.
 *
 * Writes are queued in order while the next segment is computed; their errors are thrown by the next `write`, or by
 * `finish`.
 */

import { free } from "../base/buffers.js";
import { peaksOf, RECORDS, STATE } from "./layout.js";
import { folderIn, namesIn, openFile, openFolder, remove, writeFile, writeJson } from "./opfs.js";
import { cutPieces, listPieces, writePiece } from "./pieces.js";

/** @typedef {import("./model-store.js").Model} Model */
/** @typedef {import("./opfs.js").Folder} Folder */
/** @typedef {import("./pieces.js").Piece} Piece */
/** @typedef {import("./pieces.js").StoredAudio} StoredAudio */

/**
 * The next samples of one stem; a chunk that starts at 0 replaces all earlier ones. `peaks` are the [min, max] pairs,
 * over all channels, that these samples complete: pairs lie on one grid of `hop` samples from the start of the song, so
 * those of all chunks, one after another, are those of the stem.
 * @typedef {{ name: string, pieces: Piece[], peaks: Float32Array<ArrayBuffer> }} StemChunk
 */

/** @typedef {{ song: StoredAudio, folder: string | null, model: Model, preset: string, hop: number }} Job */
/** @typedef {(start: number, length: number, stems: StemChunk[]) => void} OnChunk */
/** @typedef {{ name: string, peaks: Float32Array<ArrayBuffer> }} StemPeaks */

export class JobOutput {
  #job;
  #folder;
  #onChunk;
  /** @type {Map<string, Float32Array<ArrayBuffer>[]>} */
  #peaks = new Map();
  #begun = false;
  #saved = 0;
  /** @type {Promise<void>} */ #writing = Promise.resolve();

  /** @param {Job} job @param {Folder | null} folder @param {OnChunk} onChunk */
  constructor(job, folder, onChunk) {
    this.#job = job;
    this.#folder = folder;
    this.#onChunk = onChunk;
  }

  /**
   * @param {Job} job
   * @param {OnChunk} onChunk called for all samples that have been written
   */
  static async open(job, onChunk) {
    const { folder, song, model, preset, hop } = job;
    const opened = folder === null ? null : await openFolder(folder, { create: true });
    if (opened) {
      const { id, stems } = model;
      await writeJson(opened, RECORDS.job, { model: id, preset, stems, channels: song.channels, hop });
    }
    return new JobOutput(job, opened, onChunk);
  }

  /** The last resume point, or null. @returns {Promise<Uint8Array<ArrayBuffer> | null>} */
  async load() {
    const numbers = await this.#states();
    if (!this.#folder || numbers.length === 0) return null;
    this.#saved = numbers[numbers.length - 1];
    // Each is removed once the next one is written: of two, only the older is certain to be whole.
    const file = await openFile(this.#folder, STATE + numbers[0]);
    return file && new Uint8Array(await file.arrayBuffer());
  }

  /** @param {Uint8Array<ArrayBuffer>} state resume point after all samples so far */
  async save(state) {
    this.#queue(() => this.#save(state));
  }

  /** @param {Uint8Array<ArrayBuffer>} state */
  async #save(state) {
    if (!this.#folder) return;
    const before = await this.#states();
    this.#saved += 1;
    await writeFile(this.#folder, STATE + this.#saved, state);
    free([state]);
    for (const number of before) await remove(this.#folder, STATE + number);
  }

  /**
   * Continues after the resume point.
   * @param {number} start samples that are finished
   * @param {StemPeaks[]} stems with all their peaks so far
   */
  async resume(start, stems) {
    this.#begun = true;
    /** @type {StemChunk[]} */
    const chunks = [];
    for (const { name, peaks } of stems) {
      const folder = await this.#stem(name);
      if (folder) await cutPieces(folder, start);
      const pieces = folder ? await listPieces(folder, this.#job.song.channels) : [];
      this.#peaks.set(name, [peaks]);
      chunks.push({ name, peaks, pieces });
    }
    this.#onChunk(0, start, chunks);
  }

  /**
   * @param {number} start
   * @param {number} length
   * @param {(StemPeaks & { samples: Float32Array<ArrayBuffer> })[]} stems with interleaved samples
   */
  async write(start, length, stems) {
    await this.#writing; // at most one segment waits in memory
    this.#queue(() => this.#write(start, length, stems));
  }

  /**
   * @param {number} start
   * @param {number} length
   * @param {(StemPeaks & { samples: Float32Array<ArrayBuffer> })[]} stems
   */
  async #write(start, length, stems) {
    if (!this.#begun) await this.#clear();
    this.#begun = true;
    const { channels } = this.#job.song;
    const writing = stems.map(async ({ name, samples, peaks }) => {
      const piece = await writePiece(await this.#stem(name), start, samples, channels);
      free([samples]);
      this.#peaks.set(name, [...(this.#peaks.get(name) ?? []), peaks]);
      return { name, peaks, pieces: [piece] };
    });
    this.#onChunk(start, length, await Promise.all(writing));
  }

  /** Completes the job. @param {object} facts about the run */
  async finish(facts) {
    await this.#writing;
    if (!this.#folder) return;
    for (const [name, peaks] of this.#peaks) {
      await writeFile(this.#folder, peaksOf(name), new Uint8Array(await new Blob(peaks).arrayBuffer()));
    }
    await writeJson(this.#folder, RECORDS.done, facts);
    for (const number of await this.#states()) await remove(this.#folder, STATE + number);
  }

  /** Waits for pending writes. */
  async close() {
    await this.#writing.catch(() => {}); // the job has already failed
  }

  /** @param {() => Promise<void>} work to do after all earlier work has succeeded */
  #queue(work) {
    this.#writing = this.#writing.then(work);
    this.#writing.catch(() => {}); // thrown by the next `write`
  }

  /** Removes the files of an earlier run that this one does not continue. */
  async #clear() {
    if (!this.#folder) return;
    const states = (await this.#states()).map((number) => STATE + number);
    for (const name of [RECORDS.done, ...states, ...this.#job.model.stems]) await remove(this.#folder, name);
  }

  /** Numbers of the resume points, oldest first. */
  async #states() {
    const names = this.#folder ? await namesIn(this.#folder) : [];
    const states = names.filter((name) => name.startsWith(STATE));
    return states.map((name) => Number(name.slice(STATE.length))).sort((one, other) => one - other);
  }

  /** @param {string} name */
  async #stem(name) {
    return this.#folder ? folderIn(this.#folder, name, { create: true }) : null;
  }
}
