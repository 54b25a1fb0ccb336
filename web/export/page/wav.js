/** WAV files of 32-bit float samples: a header followed by the pieces of a track. */

import { joined } from "../../base/buffers.js";
import { wavTags } from "../tags.js";

/** @typedef {import("../../library/tags.js").Tags} Tags */
/** @typedef {import("../../library/track.js").Track} Track */

/** Format tag of IEEE floating point. */
const FLOAT = 3;

const BYTES = 4;

/** Largest size in RIFF; longer files are RF64 (EBU Tech 3306), with their sizes in `ds64`. */
const MAX_BYTES = 0xffff_ffff;
const DS64_BYTES = 28;

/**
 * @param {number} rate in Hz
 * @param {number} channels
 * @param {number} frames
 * @param {number} [tail] bytes of the chunks behind the samples
 */
export function wavHeader(rate, channels, frames, tail = 0) {
  const dataBytes = frames * channels * BYTES;
  const format = chunk("fmt ", 18, (view) => {
    view.setUint16(0, FLOAT, true);
    view.setUint16(2, channels, true);
    view.setUint32(4, rate, true);
    view.setUint32(8, rate * channels * BYTES, true);
    view.setUint16(12, channels * BYTES, true);
    view.setUint16(14, 8 * BYTES, true);
  });
  const fact = chunk("fact", 4, (view) => view.setUint32(0, Math.min(frames, MAX_BYTES), true));
  const size = (/** @type {Uint8Array[]} */ chunks) =>
    chunks.reduce((sum, part) => sum + part.length, dataBytes + tail);
  const short = [tag("WAVE"), format, fact, tag("data", dataBytes)];
  if (size(short) <= MAX_BYTES) return joined([tag("RIFF", size(short)), ...short]);
  const ds64 = chunk("ds64", DS64_BYTES, (view) => {
    view.setBigUint64(0, BigInt(size(short) + 8 + DS64_BYTES), true);
    view.setBigUint64(8, BigInt(dataBytes), true);
    view.setBigUint64(16, BigInt(frames), true);
  });
  return joined([tag("RF64", MAX_BYTES), tag("WAVE"), ds64, format, fact, tag("data", MAX_BYTES)]);
}

/**
 * Pieces hold samples as WAV does, so nothing is read or copied here.
 * @param {Track} track finished
 * @param {number} rate in Hz
 * @param {Tags} tags of the song
 * @param {string} title of the track
 */
export function wavBlob(track, rate, tags, title) {
  const tail = wavTags(tags, title);
  const header = wavHeader(rate, track.channelCount, track.length, tail.length);
  return new Blob([header, ...track.pieces.map(({ blob }) => blob), tail], { type: "audio/wav" });
}

/**
 * @param {string} id
 * @param {number} [size]
 */
function tag(id, size) {
  const bytes = new Uint8Array(size === undefined ? 4 : 8);
  bytes.set(new TextEncoder().encode(id));
  if (size !== undefined) new DataView(bytes.buffer).setUint32(4, size, true);
  return bytes;
}

/**
 * @param {string} id
 * @param {number} size
 * @param {(view: DataView) => void} fill
 */
function chunk(id, size, fill) {
  const bytes = new Uint8Array(8 + size);
  bytes.set(tag(id, size));
  fill(new DataView(bytes.buffer, 8));
  return bytes;
}
