/**
 * Stored audio: interleaved float32 samples in pieces that never change once written. They can be read while more are
 * written, survive a crash, and form a WAV file after a header.
 */

import { count, index, instance, listOf, nullable, object, positive, text } from "../base/shapes.js";
import { fileOf, namesIn, openFile, remove, writeFile } from "./opfs.js";

/** @typedef {import("./opfs.js").Folder} Folder */

/**
 * @typedef {object} Piece
 * @property {number} start in samples
 * @property {number} length in samples
 * @property {Blob} blob in the storage or in memory
 */

/**
 * A song or stem at the rate of its file.
 * @typedef {object} StoredAudio
 * @property {number} rate in Hz
 * @property {number} channels
 * @property {number} length in samples
 * @property {string | null} folder in the storage; null when the pieces are in memory
 * @property {Piece[]} pieces
 */

/** The shape of `Piece` in messages. */
export const storedPiece = object({ start: index, length: count, blob: instance(Blob) });

/** The shape of `StoredAudio` in messages. */
export const storedAudio = object({
  rate: positive,
  channels: count,
  length: index,
  folder: nullable(text),
  pieces: listOf(storedPiece),
});

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Name of a piece, with enough digits to sort like numbers. @param {number} start */
export const pieceName = (start) => String(start).padStart(12, "0");

/**
 * Writes a piece. Workers only.
 * @param {Folder | null} folder null to keep the piece in memory
 * @param {number} start
 * @param {Float32Array<ArrayBuffer>} samples interleaved
 * @param {number} channels
 * @returns {Promise<Piece>}
 */
export async function writePiece(folder, start, samples, channels) {
  const blob = folder ? await written(folder, pieceName(start), samples) : new Blob([samples]);
  return { start, length: samples.length / channels, blob };
}

/** @param {Folder} folder @param {string} name @param {Float32Array<ArrayBuffer>} samples */
async function written(folder, name, samples) {
  return fileOf(await writeFile(folder, name, samples));
}

/**
 * @param {Folder} folder
 * @param {number} channels
 * @returns {Promise<Piece[]>} whole pieces from the start of the song up to the first gap
 */
export async function listPieces(folder, channels) {
  const names = (await namesIn(folder)).sort();
  const blobs = await Promise.all(names.map((name) => openFile(folder, name)));
  const pieces = blobs.flatMap((blob, index) =>
    blob ? [{ start: Number(names[index]), length: blob.size / BYTES / channels, blob }] : [],
  );
  let stop = 0;
  return pieces.filter(({ start, length }) => {
    const follows = start === stop && Number.isInteger(length); // a crash may have cut the last piece off
    if (follows) stop += length;
    return follows;
  });
}

/**
 * Removes the pieces that start at or after a sample.
 * @param {Folder} folder
 * @param {number} start
 */
export async function cutPieces(folder, start) {
  for (const name of await namesIn(folder)) if (Number(name) >= start) await remove(folder, name);
}

/**
 * Reads samples across pieces.
 * @param {Piece[]} pieces in order, without gaps
 * @param {number} channels
 * @param {number} start
 * @param {number} stop
 * @param {(piece: Piece, start: number, samples: Float32Array<ArrayBuffer>) => void | Promise<void>} fill reads the
 *   interleaved samples of a piece from `start` on
 * @returns {Promise<Float32Array<ArrayBuffer>>} interleaved
 */
export async function gather(pieces, channels, start, stop, fill) {
  const samples = new Float32Array((stop - start) * channels);
  for (let index = indexOf(pieces, start); index < pieces.length; index += 1) {
    const piece = pieces[index];
    if (piece.start >= stop) break;
    const from = Math.max(start, piece.start);
    const to = Math.min(stop, piece.start + piece.length);
    const part = samples.subarray((from - start) * channels, (to - start) * channels);
    await fill(piece, from - piece.start, part);
  }
  return samples;
}

/**
 * Reads from a piece's blob, for `gather`.
 * @param {number} channels
 * @returns {Parameters<typeof gather>[4]}
 */
export function fromBlobs(channels) {
  return async ({ blob }, start, samples) => {
    const offset = start * channels * BYTES;
    samples.set(new Float32Array(await blob.slice(offset, offset + samples.byteLength).arrayBuffer()));
  };
}

/** Index of the piece that holds a sample. @param {Piece[]} pieces @param {number} sample @returns {number} */
function indexOf(pieces, sample) {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle].start + pieces[middle].length <= sample) low = middle + 1;
    else high = middle;
  }
  return low;
}
