/** Decodes a file at its own rate and with its own channels, a few seconds at a time. */

import { DemixError } from "../../base/errors.js";
import { aiffLayout } from "./aiff.js";
import { compressedBlocks } from "./compressed-file.js";
import { missingSeconds, pcmBlocks } from "./pcm-file.js";
import { mp3InWav, wavLayout } from "./wav.js";

/**
 * @typedef {object} Block
 * @property {number} rate in Hz, the same in all blocks of a song
 * @property {Float32Array<ArrayBuffer>[]} channels planar samples in buffers of their own
 * @property {number} fraction of the file that is decoded so far
 */

/**
 * Decodes a whole file at once: the page's `decodeWhole`, for files that cannot be streamed.
 * @callback DecodeWhole
 * @param {Blob} file
 * @param {number} rate in Hz, of the result
 * @returns {Promise<import("../protocol.js").Planar>}
 */

/** Limits of the separation, as in `check_format` of `demixer.audio`. */
const MIN_RATE = 8_000;
const MAX_RATE = 192_000;
const MAX_CHANNELS = 8;

/**
 * Decodes the default audio track of a file; of a truncated file, the part that exists.
 * @param {Blob} file
 * @param {DecodeWhole} decodeWhole
 * @param {import("./loss.js").ReportLoss} reportLoss called at most once, at the end
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError} `audio/unreadable`, `audio/unsupported`, `audio/empty` or `audio/too-long`
 */
export async function* decode(file, decodeWhole, reportLoss) {
  if (file.size === 0) throw new DemixError("audio/empty", "The file has no bytes.");
  /** @type {Block | null} */
  let first = null;
  try {
    const mp3 = await mp3InWav(file);
    const layout = mp3 ? null : ((await wavLayout(file)) ?? (await aiffLayout(file)));
    if (layout) checkFormat(layout.rate, layout.channels);
    const blocks = layout ? pcmBlocks(file, layout) : compressedBlocks(mp3 ?? file, decodeWhole, reportLoss);
    for await (const block of blocks) {
      if (!first) checkFormat(block.rate, block.channels.length);
      first ??= block;
      yield block;
    }
    if (layout && layout.missing > 0) reportLoss({ seconds: missingSeconds(layout) });
  } catch (error) {
    if (error instanceof DemixError) throw error;
    throw new DemixError("audio/unreadable", "The file is damaged and cannot be decoded.");
  }
  if (!first) throw new DemixError("audio/empty", "The file has no audio samples.");
}

/** @param {number} rate @param {number} channels */
function checkFormat(rate, channels) {
  if (rate < MIN_RATE || rate > MAX_RATE) {
    const range = `${MIN_RATE} to ${MAX_RATE} Hz`;
    throw new DemixError(
      "audio/unsupported",
      `The sample rate is ${rate} Hz; ${range} can be separated.`,
      "rate",
    );
  }
  if (channels > MAX_CHANNELS) {
    const message = `The file has ${channels} channels; up to ${MAX_CHANNELS} can be separated.`;
    throw new DemixError("audio/unsupported", message, "channels");
  }
}
