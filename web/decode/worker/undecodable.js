/** Files that cannot be streamed: whatever the browser's decoder of whole files knows, and what to say of the rest. */

import { DemixError } from "../../base/errors.js";
import { fileKind } from "./file-kind.js";

/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./decode.js").Whole} Whole */

/** In Hz; the decoder must be told a rate also where the file's own cannot be read. */
const USUAL_RATE = 44_100;

/**
 * A file of a container that is not known here.
 * @param {Blob} file
 * @param {Whole} whole
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError}
 */
export async function* unknownBlocks(file, whole) {
  const kind = await fileKind(file);
  if (kind && !kind.song)
    throw new DemixError("audio/unreadable", `The file is ${kind.name}.`, "Choose an audio file.");
  const planar = await whole(file, USUAL_RATE).catch(() => {
    if (kind) throw undecodable(kind.name);
    throw new DemixError("audio/unreadable", "The file does not begin like any audio file.");
  });
  yield* blocksOf(planar);
}

/**
 * A file of a codec that the browser does not stream.
 * @param {Blob} file
 * @param {number} rate in Hz
 * @param {Whole} whole
 * @param {string} codec
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError}
 */
export async function* wholeBlocks(file, rate, whole, codec) {
  const planar = await whole(file, rate).catch((error) => {
    throw error.code === "audio/unreadable" ? undecodable(codec) : error;
  });
  yield* blocksOf(planar);
}

/** @param {{ rate: number, channels: Float32Array[] }} planar @returns {Generator<Block>} */
function* blocksOf({ rate, channels }) {
  const { length } = channels[0];
  for (let start = 0; start < length; start += rate) {
    const stop = Math.min(start + rate, length);
    const planes = channels.map((plane) => new Float32Array(plane.subarray(start, stop)));
    yield { rate, channels: planes, fraction: stop / length };
  }
}

/** @param {string} name of a codec or container */
function undecodable(name) {
  const hint = "Convert the song to FLAC, WAV or MP3, and choose that file.";
  return new DemixError("audio/unsupported", `This browser has no decoder for ${name}.`, hint);
}
