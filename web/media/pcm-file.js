/** Reads files that hold their samples as they are: WAV and AIFF. */

import { bytesAt } from "./file-bytes.js";
import { sampleReader } from "./pcm-samples.js";

/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./pcm-samples.js").SampleFormat} SampleFormat */

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
  for (let first = 0; first < frames; first += rate) {
    const length = Math.min(rate, frames - first);
    const view = await bytesAt(file, start + first * frameBytes, length * frameBytes);
    const planes = Array.from({ length: channels }, (_, channel) => {
      const plane = new Float32Array(length);
      for (let frame = 0, at = channel * format.bytes; frame < length; frame += 1, at += frameBytes)
        plane[frame] = read(view, at);
      return plane;
    });
    yield { rate, channels: planes, fraction: (first + length) / frames };
  }
}
