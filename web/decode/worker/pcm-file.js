/** Reads uncompressed samples, as WAV and AIFF files hold them. */

import { bytesAt } from "./file-bytes.js";

/** @typedef {import("./decode.js").Block} Block */

/** @typedef {"signed" | "unsigned" | "float" | "alaw" | "ulaw"} SampleKind */

/**
 * @typedef {object} SampleFormat
 * @property {SampleKind} kind
 * @property {number} bytes
 * @property {boolean} littleEndian
 */

/** Sizes of a sample by its kind, in bytes. @type {Record<SampleKind, number[]>} */
const SIZES = { signed: [1, 2, 3, 4], unsigned: [1], float: [4, 8], alaw: [1], ulaw: [1] };

/** Each read of a file is a message to another process, so long blocks are faster. */
const BLOCK_SECONDS = 4;

/**
 * Format and position of interleaved samples in a file.
 * @typedef {object} PcmLayout
 * @property {number} rate in Hz
 * @property {number} channels
 * @property {SampleFormat} format
 * @property {number} start in bytes
 * @property {number} bytes that exist, whatever the header claims
 * @property {number} missing bytes that the header claims besides
 */

/** Seconds of the song that the file lacks. @param {PcmLayout} layout */
export function missingSeconds({ rate, channels, format, missing }) {
  return missing / (channels * format.bytes * rate);
}

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
 * One channel. Not part of the generator, because engines optimise plain functions better.
 * @param {DataView} view
 * @param {(view: DataView, at: number) => number} read
 * @param {number} first byte of the channel's first sample
 * @param {number} step bytes to the next one
 * @param {number} length
 */
function deinterleave(view, read, first, step, length) {
  const plane = new Float32Array(length);
  for (let frame = 0, at = first; frame < length; frame += 1, at += step) plane[frame] = read(view, at);
  return plane;
}

/** True when samples of this format can be read. @param {SampleFormat} format */
export function isReadable({ kind, bytes }) {
  return SIZES[kind].includes(bytes);
}

/**
 * @param {SampleFormat} format that is readable
 * @returns {(view: DataView, at: number) => number} reads a sample as a number of full scale 1
 */
function sampleReader({ kind, bytes, littleEndian: little }) {
  if (kind === "alaw") return (view, at) => ALAW[view.getUint8(at)];
  if (kind === "ulaw") return (view, at) => ULAW[view.getUint8(at)];
  if (kind === "unsigned") return (view, at) => view.getUint8(at) / 0x80 - 1;
  if (kind === "float" && bytes === 8) return (view, at) => view.getFloat64(at, little);
  if (kind === "float") return (view, at) => view.getFloat32(at, little);
  if (bytes === 4) return (view, at) => view.getInt32(at, little) / 0x8000_0000;
  if (bytes === 2) return (view, at) => view.getInt16(at, little) / 0x8000;
  if (bytes === 1) return (view, at) => view.getInt8(at) / 0x80;
  // The upper 16 bits carry the sign.
  if (little) return (view, at) => (view.getInt16(at + 1, true) * 0x100 + view.getUint8(at)) / 0x80_0000;
  return (view, at) => (view.getInt16(at) * 0x100 + view.getUint8(at + 2)) / 0x80_0000;
}

/** ITU-T G.711, A-law: every second bit is inverted. */
const ALAW = Float32Array.from({ length: 256 }, (_, code) => {
  const byte = code ^ 0x55;
  const exponent = (byte >> 4) & 7;
  const step = ((byte & 0xf) << 4) + 8;
  const magnitude = exponent === 0 ? step : (step + 0x100) << (exponent - 1);
  return (byte & 0x80 ? magnitude : -magnitude) / 0x8000;
});

/** ITU-T G.711, mu-law: every bit is inverted, and the steps begin at a bias. */
const ULAW = Float32Array.from({ length: 256 }, (_, code) => {
  const byte = ~code & 0xff;
  const magnitude = ((((byte & 0xf) << 3) + 0x84) << ((byte >> 4) & 7)) - 0x84;
  return (byte & 0x80 ? -magnitude : magnitude) / 0x8000;
});
