/** From a file to samples, at the file's own rate and with its own channels, a few seconds at a time. */

import { DemixError } from "../../base/errors.js";
import { aiffLayout } from "./aiff.js";
import { compressedBlocks } from "./compressed-file.js";
import { pcmBlocks } from "./pcm-file.js";
import { wavLayout } from "./wav.js";

/**
 * @typedef {object} Block
 * @property {number} rate in Hz, the same in all blocks of a song
 * @property {Float32Array<ArrayBuffer>[]} channels planar samples in buffers of their own
 * @property {number} fraction of the file that is decoded so far
 */

/**
 * Decodes a whole file where it cannot be streamed, with `decodeWhole` of `decode-whole.js` on the page.
 * @callback Whole
 * @param {Blob} file
 * @param {number} rate in Hz, of the result
 * @returns {Promise<{ rate: number, channels: Float32Array[] }>}
 */

/** What the separation takes, as `check_format` of `demixer.audio` has it. */
const LOWEST_RATE = 8_000;
const HIGHEST_RATE = 192_000;
const MOST_CHANNELS = 8;

/**
 * Decodes the default audio track of a file. Of a file that is cut off, it gives what is there.
 * @param {Blob} file
 * @param {Whole} whole
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError} `audio/unreadable`, `audio/unsupported`, `audio/empty` or `audio/too-long`
 */
export async function* decode(file, whole) {
  if (file.size === 0) throw new DemixError("audio/empty", "The file has no bytes.");
  /** @type {Block | null} */
  let first = null;
  try {
    const layout = (await wavLayout(file)) ?? (await aiffLayout(file));
    if (layout) checkFormat(layout.rate, layout.channels);
    for await (const block of layout ? pcmBlocks(file, layout) : compressedBlocks(file, whole)) {
      if (!first) checkFormat(block.rate, block.channels.length);
      first ??= block;
      yield block;
    }
  } catch (error) {
    if (/** @type {any} */ (error)?.code?.startsWith?.("audio/")) throw error;
    throw new DemixError("audio/unreadable", "The file is damaged and cannot be decoded.");
  }
  if (!first) throw new DemixError("audio/empty", "The file has no audio samples.");
}

/** @param {number} rate @param {number} channels */
function checkFormat(rate, channels) {
  if (rate < LOWEST_RATE || rate > HIGHEST_RATE) {
    const range = `${LOWEST_RATE} to ${HIGHEST_RATE} Hz`;
    const hint = "rate";
    throw new DemixError(
      "audio/unsupported",
      `The sample rate is ${rate} Hz; ${range} can be separated.`,
      hint,
    );
  }
  if (channels > MOST_CHANNELS) {
    const message = `The file has ${channels} channels; up to ${MOST_CHANNELS} can be separated.`;
    throw new DemixError("audio/unsupported", message, "channels");
  }
}
