/**
 * Reads the delay and padding that an MP3 encoder added to a song. LAME and its successors write them to the "LAME tag"
 * in the first frame; MP3 itself has no field for them.
 */

import { bytesAt, textAt } from "./file-bytes.js";
import { id3Bytes } from "./repair.js";

/** Samples by which the filter bank of an MP3 decoder delays its output. */
const DECODER_DELAY = 529;

/** Enough for some padding after the ID3 tag and a first frame of any rate. */
const SEARCHED_BYTES = 1 << 14;

/** Offset in the LAME tag of 12 bits of delay and 12 bits of padding. */
const LAME_DELAYS = 21;

/** In Hz, of MPEG-1; MPEG-2 has half and MPEG-2.5 a quarter of them. */
const RATES = [44_100, 48_000, 32_000];

/**
 * @param {Blob} file an MP3 file
 * @returns {Promise<[start: number, stop: number][]>} delay and padding, in seconds from the first decoded sample;
 *   empty without a tag. Joined files continue after the second one.
 */
export async function mp3Gaps(file) {
  const view = await bytesAt(file, await tagBytes(file), SEARCHED_BYTES);
  const frame = firstFrame(view);
  const tag = frame && lameTag(view, frame);
  if (!tag) return [];
  const delays = view.getUint32(tag.at + LAME_DELAYS) >>> 8;
  const before = (delays >>> 12) + DECODER_DELAY;
  const after = Math.max(0, (delays & 0xfff) - DECODER_DELAY);
  const { rate, frameSamples } = frame;
  const end = tag.frames * frameSamples;
  return [
    [0, before / rate],
    [(end - after) / rate, end / rate],
  ];
}

/** Length of the ID3 tags, which may hold a picture of megabytes. @param {Blob} file */
async function tagBytes(file) {
  let at = 0;
  for (;;) {
    const header = await bytesAt(file, at, 10);
    if (header.byteLength < 10 || textAt(header, 0, 3) !== "ID3") return at;
    at += id3Bytes(header);
  }
}

/** @typedef {{ at: number, rate: number, frameSamples: number, sideBytes: number }} Frame */

/** @param {DataView} view @returns {Frame | null} */
function firstFrame(view) {
  for (let at = 0; at + 4 <= view.byteLength; at += 1) {
    const header = view.getUint32(at);
    const version = (header >>> 19) & 3; // 3 is MPEG-1, 2 MPEG-2, 0 MPEG-2.5
    const [bitrate, rateIndex] = [(header >>> 12) & 15, (header >>> 10) & 3];
    const isLayer3 = header >>> 21 === 0x7ff && version !== 1 && ((header >>> 17) & 3) === 1;
    if (!isLayer3 || bitrate === 15 || rateIndex === 3) continue;
    const mono = ((header >>> 6) & 3) === 3;
    return {
      at,
      rate: RATES[rateIndex] / [4, 0, 2, 1][version],
      frameSamples: version === 3 ? 1_152 : 576,
      sideBytes: version === 3 ? (mono ? 17 : 32) : mono ? 9 : 17,
    };
  }
  return null;
}

/**
 * @param {DataView<ArrayBuffer>} view
 * @param {Frame} frame
 * @returns {{ at: number, frames: number } | null} start of the LAME tag, and the number of frames after this one
 */
function lameTag(view, { at, sideBytes }) {
  const xing = at + 4 + sideBytes;
  if (!["Xing", "Info"].includes(textAt(view, xing, 4))) return null;
  const flags = view.getUint32(xing + 4);
  // The number of frames, the number of bytes, the seek table and the quality are optional.
  const fields = [4, 4, 100, 4].filter((_, bit) => flags & (1 << bit));
  const tag = fields.reduce((total, size) => total + size, xing + 8);
  if (tag + LAME_DELAYS + 4 > view.byteLength || view.getUint8(tag) === 0) return null;
  return { at: tag, frames: flags & 1 ? view.getUint32(xing + 8) : Number.POSITIVE_INFINITY };
}
