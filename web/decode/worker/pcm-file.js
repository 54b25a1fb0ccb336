/** Reads files that hold their samples as they are: WAV and AIFF. */

import { bytesAt } from "./file-bytes.js";
import { sampleReader } from "./pcm-samples.js";

/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./pcm-samples.js").SampleFormat} SampleFormat */

/** Each read of a file is a message to another process, so that longer pieces are faster. */
const BLOCK_SECONDS = 4;

/**
 * Where the samples lie, channel by channel within each frame.
 * @typedef {object} PcmLayout
 * @property {number} rate in Hz
 * @property {number} channels
 * @property {SampleFormat} format
 * @property {number} start in bytes
 * @property {number} bytes that are there, whatever the header claims
 */

/**
 * @param {Blob} file
 * @param {PcmLayout} layout
 * @returns {AsyncGenerator<Block>}
 */
export async function* pcmBlocks(file, { rate, channels, format, start, bytes }) {
  const read = sampleReader(format);
  const frameBytes = channels * format.bytes;
  const frames = Math.floor(bytes / frameBytes);
  for (let first = 0; first < frames; first += BLOCK_SECONDS * rate) {
    const length = Math.min(BLOCK_SECONDS * rate, frames - first);
    const view = await bytesAt(file, start + first * frameBytes, length * frameBytes);
    const planes = Array.from({ length: channels }, (_, channel) =>
      deinterleave(view, read, channel * format.bytes, frameBytes, length),
    );
    yield { rate, channels: planes, fraction: (first + length) / frames };
  }
}

/**
 * A loop of its own: engines optimise a plain function, but hardly a generator.
 * @param {DataView} view
 * @param {(view: DataView, at: number) => number} read
 * @param {number} first of the channel's samples, in bytes
 * @param {number} step to the next one
 * @param {number} length
 */
function deinterleave(view, read, first, step, length) {
  const plane = new Float32Array(length);
  for (let frame = 0, at = first; frame < length; frame += 1, at += step) plane[frame] = read(view, at);
  return plane;
}
