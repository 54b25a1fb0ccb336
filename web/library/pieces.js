/**
 * A song or a stem as it is kept: interleaved float32 samples in pieces, none of which changes once it is written.
 * So they can be read while more are written, a crash leaves whole ones behind, and a WAV file is a header with the
 * pieces after it.
 */

import { count, index, instance, listOf, nullable, object, positive, text } from "../base/shapes.js";
import { fileOf, namesIn, openFile, remove, writeFile } from "./opfs.js";

/** @typedef {import("./opfs.js").Folder} Folder */

/**
 * @typedef {object} Piece
 * @property {number} start in samples
 * @property {number} length in samples
 * @property {Blob} blob in the storage, or in memory where there is none
 */

/**
 * A song or stem as it was decoded, at the file's own rate.
 * @typedef {object} StoredAudio
 * @property {number} rate in Hz
 * @property {number} channels
 * @property {number} length in samples
 * @property {string | null} folder in the storage; none where the browser has no storage and pieces are in memory
 * @property {Piece[]} pieces
 */

/** The shape of `StoredAudio` in messages. */
export const storedAudio = object({
  rate: positive,
  channels: count,
  length: index,
  folder: nullable(text),
  pieces: listOf(object({ start: index, length: count, blob: instance(Blob) })),
});

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Enough digits for any song, so that names sort as numbers do. @param {number} start */
export const pieceName = (start) => String(start).padStart(12, "0");

/**
 * Workers only.
 * @param {Folder | null} folder none where there is no storage: then the piece stays in memory
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
 * @returns {Promise<Piece[]>} those that follow each other from the start of the song without a gap
 */
export async function listPieces(folder, channels) {
  const names = (await namesIn(folder)).sort();
  const blobs = await Promise.all(names.map((name) => openFile(folder, name)));
  const pieces = blobs.flatMap((blob, index) =>
    blob ? [{ start: Number(names[index]), length: blob.size / BYTES / channels, blob }] : [],
  );
  let stop = 0;
  return pieces.filter(({ start, length }) => {
    const follows = start === stop;
    if (follows) stop += length;
    return follows;
  });
}

/**
 * Removes the pieces from a sample on.
 * @param {Folder} folder
 * @param {number} start
 */
export async function cutPieces(folder, start) {
  for (const name of await namesIn(folder)) if (Number(name) >= start) await remove(folder, name);
}

/**
 * Samples out of pieces, wherever these lie.
 * @param {Piece[]} pieces in their order, without gaps
 * @param {number} channels
 * @param {number} start
 * @param {number} stop
 * @param {(piece: Piece, start: number, samples: Float32Array<ArrayBuffer>) => void | Promise<void>} fill writes the
 *   interleaved samples of a piece, from one of its own on
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
 * Fills from a piece's blob, for `gather`.
 * @param {number} channels
 * @returns {Parameters<typeof gather>[4]}
 */
export function fromBlobs(channels) {
  return async ({ blob }, start, samples) => {
    const offset = start * channels * BYTES;
    samples.set(new Float32Array(await blob.slice(offset, offset + samples.byteLength).arrayBuffer()));
  };
}

/** @param {Piece[]} pieces @param {number} sample @returns {number} the piece that holds it */
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
