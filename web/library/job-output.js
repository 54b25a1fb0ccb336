/**
 * Where the engine puts the stems of a job, segment by segment: pieces, then the state that the job can go on from.
 * A job that ends at any moment leaves pieces that are whole and a state that fits to those before it.
 *
 * What is written is written in its order, but behind the job's back: the next segment is computed meanwhile, and what
 * goes wrong is told with the next samples, or at the end.
 */

import { free } from "../base/buffers.js";
import { peaksOf, RECORDS, STATE } from "./layout.js";
import { folderIn, namesIn, openFile, openFolder, remove, writeFile, writeJson } from "./opfs.js";
import { cutPieces, listPieces, writePiece } from "./pieces.js";

/** @typedef {import("../engine/protocol.js").JobRequest} JobRequest */
/** @typedef {import("../engine/protocol.js").StemChunk} StemChunk */
/** @typedef {import("./opfs.js").Folder} Folder */
/** @typedef {(start: number, length: number, stems: StemChunk[]) => void} Tell */
/** @typedef {{ name: string, peaks: Float32Array<ArrayBuffer> }} StemPeaks */

export class JobOutput {
  #request;
  #folder;
  #tell;
  /** @type {Map<string, Float32Array<ArrayBuffer>[]>} */
  #peaks = new Map();
  #begun = false;
  #saved = 0;
  /** @type {Promise<void>} */ #writing = Promise.resolve();

  /** @param {JobRequest} request @param {Folder | null} folder @param {Tell} tell */
  constructor(request, folder, tell) {
    this.#request = request;
    this.#folder = folder;
    this.#tell = tell;
  }

  /**
   * @param {JobRequest} request
   * @param {Tell} tell is told of what is finished
   */
  static async open(request, tell) {
    const { folder, song, model, preset, hop } = request;
    const opened = folder === null ? null : await openFolder(folder, { create: true });
    if (opened) {
      const { id, stems } = model;
      await writeJson(opened, RECORDS.job, { model: id, preset, stems, channels: song.channels, hop });
    }
    return new JobOutput(request, opened, tell);
  }

  /** The state that was saved last, or nothing. @returns {Promise<Uint8Array<ArrayBuffer> | null>} */
  async load() {
    const numbers = await this.#states();
    if (!this.#folder || numbers.length === 0) return null;
    this.#saved = numbers[numbers.length - 1];
    // Each is removed when the next one is whole: of two, only the older is whole for certain.
    const file = await openFile(this.#folder, STATE + numbers[0]);
    return file && new Uint8Array(await file.arrayBuffer());
  }

  /** @param {Uint8Array<ArrayBuffer>} state fits to all that was written */
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
   * The state was good: go on after its samples.
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
      const pieces = folder ? await listPieces(folder, this.#request.song.channels) : [];
      this.#peaks.set(name, [peaks]);
      chunks.push({ name, peaks, pieces });
    }
    this.#tell(0, start, chunks);
  }

  /**
   * @param {number} start
   * @param {number} length
   * @param {(StemPeaks & { samples: Float32Array<ArrayBuffer> })[]} stems with interleaved samples
   */
  async write(start, length, stems) {
    await this.#writing; // what waits here is held in memory
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
    const { channels } = this.#request.song;
    const writing = stems.map(async ({ name, samples, peaks }) => {
      const piece = await writePiece(await this.#stem(name), start, samples, channels);
      free([samples]);
      this.#peaks.set(name, [...(this.#peaks.get(name) ?? []), peaks]);
      return { name, peaks, pieces: [piece] };
    });
    this.#tell(start, length, await Promise.all(writing));
  }

  /** All is written. @param {object} facts about the run */
  async finish(facts) {
    await this.#writing;
    if (!this.#folder) return;
    for (const [name, peaks] of this.#peaks) {
      await writeFile(this.#folder, peaksOf(name), new Uint8Array(await new Blob(peaks).arrayBuffer()));
    }
    await writeJson(this.#folder, RECORDS.done, facts);
    for (const number of await this.#states()) await remove(this.#folder, STATE + number);
  }

  /** Nothing more comes: when this ends, nobody writes there any more. */
  async close() {
    await this.#writing.catch(() => {}); // the job has failed for a reason of its own
  }

  /** @param {() => Promise<void>} work to do after all before, if that went well */
  #queue(work) {
    this.#writing = this.#writing.then(work);
    this.#writing.catch(() => {}); // told with the next samples
  }

  /** What an earlier run has left that this one cannot go on from. */
  async #clear() {
    if (!this.#folder) return;
    const states = (await this.#states()).map((number) => STATE + number);
    for (const name of [RECORDS.done, ...states, ...this.#request.model.stems])
      await remove(this.#folder, name);
  }

  /** Numbers of the states that are there, the oldest first. */
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
