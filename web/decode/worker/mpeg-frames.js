/**
 * Finds the frames of a bare MPEG stream, MP3 or AAC (ADTS), among tags, zeros and junk: radio streams carry tags between
 * frames, and joined MP3 files a header in the middle. `demixer.runtimes.links` does the same in Python.
 */

import { bytesAt, textAt } from "./file-bytes.js";
import { id3Bytes } from "./id3-length.js";

/** Frames alike in a row that tell a stream from junk. */
const ALIKE = 3;

/** Bytes of junk before the first frame; zeros do not count. */
const MAX_JUNK = 1 << 16;

const WINDOW_BYTES = 1 << 20;
const MAX_HEADER_BYTES = 64;

/** Of MP3, in kbit/s: of MPEG-1, and of the halved rates. */
const BITRATES = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/** In Hz, of MPEG-1; MPEG-2 has half and MPEG-2.5 a quarter of them. */
const RATES = [44_100, 48_000, 32_000];

/** Offset of Fraunhofer's header in a frame. */
export const VBRI_AT = 36;

/**
 * @typedef {object} Frame
 * @property {number} at offset
 * @property {number} bytes
 * @property {string} stream codec, rate and channels, alike in all frames of a stream
 * @property {boolean} opens true for the header of an MP3 song
 */

/** @typedef {{ bytes: number, rate: number, samples: number, xingAt: number, stream: string }} Mp3Frame */

/**
 * The streams of a file one after the other, without anything between their frames.
 * @param {Blob} file
 * @returns {Promise<import("./links.js").Link[]>} empty when the file is no such stream
 */
export async function mpegStreams(file) {
  /** @type {{ parts: { start: number, end: number }[], isCut: boolean, frames: number, header: Blob | null }[]} */
  const streams = [];
  const frames = new FrameReader(file);
  /** @type {Frame | null} */
  let last = null;
  for (let frame = await frames.first(); frame; frame = await frames.after(frame)) {
    if (!last || frame.opens || frame.stream !== last.stream)
      streams.push({ parts: [], isCut: false, frames: 0, header: null });
    const stream = streams[streams.length - 1];
    const [start, end] = [frame.at, frame.at + frame.bytes];
    stream.isCut = end > file.size;
    if (stream.isCut) break;
    last = frame;
    if (frame.opens) {
      stream.header = file.slice(start, end);
      continue;
    }
    const part = stream.parts.at(-1);
    if (part?.end === start) part.end = end;
    else stream.parts.push({ start, end });
    stream.frames += 1;
  }
  return streams
    .filter(({ parts }) => parts.length > 0)
    .map(({ parts, ...facts }) => ({
      file: new Blob(parts.map(({ start, end }) => file.slice(start, end))),
      ...facts,
    }));
}

class FrameReader {
  #file;
  #start = 0;
  #view = new DataView(new ArrayBuffer(0));

  /** @param {Blob} file */
  constructor(file) {
    this.#file = file;
  }

  /** @returns {Promise<Frame | null>} null when the file does not begin like a stream */
  async first() {
    const at = await this.#afterZeros(await this.#afterTags(0));
    return this.#search(at, at + MAX_JUNK);
  }

  /** @param {Frame} frame @returns {Promise<Frame | null>} the next one, or null at the end */
  async after({ at, bytes, stream }) {
    const next = await this.#frame(at + bytes);
    if (next && (next.stream === stream || next.opens)) return next;
    return this.#search(at + bytes, Number.POSITIVE_INFINITY);
  }

  /** @param {number} at @param {number} limit of the first byte @returns {Promise<Frame | null>} */
  async #search(at, limit) {
    for (let from = at; from < Math.min(limit, this.#file.size); from += 1) {
      from = await this.#candidate(from);
      const past = await this.#afterTags(from);
      const frame = await this.#frame(past);
      if (frame && (await this.#isStream(frame))) return frame;
      if (past > from) from = past - 1;
    }
    return null;
  }

  /** Offset of the next byte that may begin a frame or a tag. @param {number} at */
  async #candidate(at) {
    for (let from = at; from < this.#file.size; ) {
      await this.#load(from);
      const bytes = new Uint8Array(this.#view.buffer, from - this.#start);
      const found = bytes.findIndex((byte) => byte === 0xff || byte === 0x49);
      if (found >= 0) return from + found;
      from += bytes.length;
    }
    return this.#file.size;
  }

  /** True when enough frames alike follow, or none but the end of the file. @param {Frame} frame */
  async #isStream({ at, bytes, stream, opens }) {
    if (opens) return true;
    let end = at + bytes;
    for (let count = 1; count < ALIKE; count += 1) {
      if (end === this.#file.size) return true;
      const next = await this.#frame(end);
      if (next?.stream !== stream) return false;
      end += next.bytes;
    }
    return true;
  }

  /** @param {number} at */
  async #afterTags(at) {
    for (let past = at; ; ) {
      await this.#load(past);
      const header = past - this.#start;
      if (textAt(this.#view, header, 3) !== "ID3" || header + 10 > this.#view.byteLength) return past;
      const end = past + id3Bytes(new DataView(this.#view.buffer, header));
      past = end > this.#file.size ? past + 10 : end; // a claim beyond the end is damage
    }
  }

  /** @param {number} at */
  async #afterZeros(at) {
    for (let past = at; past < this.#file.size; ) {
      await this.#load(past);
      const bytes = new Uint8Array(this.#view.buffer, past - this.#start);
      const found = bytes.findIndex((byte) => byte !== 0);
      if (found >= 0) return past + found;
      past += bytes.length;
    }
    return at;
  }

  /** @param {number} at @returns {Promise<Frame | null>} */
  async #frame(at) {
    await this.#load(at);
    const from = at - this.#start;
    const mp3 = mp3Frame(this.#view, from);
    if (mp3) return { at, bytes: mp3.bytes, stream: mp3.stream, opens: isHeader(this.#view, from, mp3) };
    const adts = adtsFrame(this.#view, from);
    return adts && { at, ...adts, opens: false };
  }

  /** Makes the view hold the header of a frame. @param {number} at */
  async #load(at) {
    const end = this.#start + this.#view.byteLength;
    if (at >= this.#start && (at + MAX_HEADER_BYTES <= end || (end === this.#file.size && at <= end))) return;
    this.#view = await bytesAt(this.#file, at, WINDOW_BYTES);
    this.#start = Math.min(at, this.#file.size);
  }
}

/**
 * @param {DataView} view
 * @param {number} at
 * @returns {Mp3Frame | null}
 */
export function mp3Frame(view, at) {
  if (at + 4 > view.byteLength) return null;
  const header = view.getUint32(at);
  const version = (header >>> 19) & 3; // 3 is MPEG-1, 2 MPEG-2, 0 MPEG-2.5
  const [bitrate, rateIndex] = [(header >>> 12) & 15, (header >>> 10) & 3];
  const isLayer3 = header >>> 21 === 0x7ff && version !== 1 && ((header >>> 17) & 3) === 1;
  if (!isLayer3 || bitrate === 0 || bitrate === 15 || rateIndex === 3) return null;
  const isFirst = version === 3;
  const isMono = ((header >>> 6) & 3) === 3;
  const rate = RATES[rateIndex] / [4, 0, 2, 1][version];
  const samples = isFirst ? 1_152 : 576;
  const slots = Math.floor((samples * 125 * BITRATES[isFirst ? 0 : 1][bitrate]) / rate);
  return {
    bytes: slots + ((header >>> 9) & 1),
    rate,
    samples,
    xingAt: 4 + (isFirst ? (isMono ? 17 : 32) : isMono ? 9 : 17),
    stream: `mp3 ${rate} ${isMono}`,
  };
}

/** @param {DataView<ArrayBuffer>} view @param {number} at @param {Mp3Frame} frame */
function isHeader(view, at, { xingAt }) {
  return ["Xing", "Info"].includes(textAt(view, at + xingAt, 4)) || textAt(view, at + VBRI_AT, 4) === "VBRI";
}

/** @param {DataView} view @param {number} at */
function adtsFrame(view, at) {
  if (at + 7 > view.byteLength) return null;
  const [sync, format] = [view.getUint16(at), view.getUint16(at + 2)];
  const bytes = (view.getUint32(at + 3) >>> 13) & 0x1fff;
  const [rateIndex, channels] = [(format >>> 10) & 15, (format >>> 6) & 7];
  if ((sync & 0xfff6) !== 0xfff0 || rateIndex > 12 || channels === 0 || bytes < 7) return null;
  return { bytes, stream: `aac ${format >>> 14} ${rateIndex} ${channels}` };
}
