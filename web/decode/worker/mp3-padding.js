/**
 * Reads the delay and padding that an MP3 encoder added to a song. MP3 has no field for them: LAME and its successors write
 * them into a header in the first frame, Fraunhofer's encoder into another one, and iTunes into an ID3 tag.
 */

import { bytesAt, textAt } from "./file-bytes.js";
import { tagBytes } from "./id3-length.js";
import { NOTE, parseNote } from "./itunes-note.js";
import { mp3Frame, VBRI_AT } from "./mpeg-frames.js";

/** Samples by which the filter bank of an MP3 decoder delays its output. */
const DECODER_DELAY = 529;

/** Enough for a frame of any rate. */
const FRAME_BYTES = 1 << 12;

/** Offset in the LAME tag of 12 bits of delay and 12 bits of padding. */
const LAME_DELAYS = 21;

/** Enough for the tags before a picture, after which nobody writes the note. */
const NOTE_BYTES = 1 << 20;

/**
 * Samples that the encoder added, and the frames after the header.
 * @typedef {{ delay: number, padding: number, frames: number }} Delays
 */

/** @typedef {import("./links.js").Link} Link */

/** A header, which may lack LAME's part. @typedef {Omit<Delays, "delay"> & { delay: number | null }} Header */

/**
 * @param {Link} link of MP3 frames
 * @param {Blob | null} tagged file whose ID3 tags are the link's; null for a song joined to another
 * @returns {Promise<import("./padding.js").Gap[]>} empty when the file does not tell
 */
export async function mp3Gaps(link, tagged) {
  const { frame, header } = await opening(link);
  if (!frame) return [];
  const found = told(header) ?? (tagged && (await id3Note(tagged, frame.samples)));
  if (!found) return [];
  const end = found.frames * frame.samples;
  const gaps = [
    [0, found.delay + DECODER_DELAY],
    [end - Math.max(0, found.padding - DECODER_DELAY), end],
  ];
  return gaps.map(([from, to]) => [from / frame.rate, to / frame.rate]);
}

/**
 * @param {Link} link of MP3 frames
 * @returns {Promise<number>} samples that the header counts and the link lacks
 */
export async function mp3Missing(link) {
  const { frame, header } = await opening(link);
  if (!frame || !header || !Number.isFinite(header.frames)) return 0;
  const missing = header.frames - link.frames;
  const slack = header.delay === null ? 1 : 0; // some headers count themselves, but not those of LAME
  return missing > slack ? missing * frame.samples : 0;
}

/** The first frame, and the header in it. @param {Link} link */
async function opening(link) {
  const view = await bytesAt(link.header ?? link.file, 0, FRAME_BYTES);
  const frame = mp3Frame(view, 0);
  return { frame, header: frame && link.header && (lameTag(view, frame.xingAt) ?? vbriHeader(view)) };
}

/**
 * The header, if it tells the delay.
 * @param {Header | null} header
 * @returns {Delays | null}
 */
function told(header) {
  return header?.delay === null || header === null ? null : { ...header, delay: header.delay };
}

/**
 * @param {DataView<ArrayBuffer>} view of the first frame
 * @param {number} xing offset
 * @returns {Header | null}
 */
function lameTag(view, xing) {
  if (!["Xing", "Info"].includes(textAt(view, xing, 4))) return null;
  const flags = view.getUint32(xing + 4);
  // The number of frames, the number of bytes, the seek table and the quality are optional.
  const fields = [4, 4, 100, 4].filter((_, bit) => flags & (1 << bit));
  const tag = fields.reduce((total, size) => total + size, xing + 8);
  const frames = flags & 1 ? view.getUint32(xing + 8) : Number.POSITIVE_INFINITY;
  if (tag + LAME_DELAYS + 4 > view.byteLength || view.getUint8(tag) === 0)
    return { delay: null, padding: 0, frames };
  const delays = view.getUint32(tag + LAME_DELAYS) >>> 8;
  return { delay: delays >>> 12, padding: delays & 0xfff, frames };
}

/** Fraunhofer's header, which does not tell the padding. @param {DataView<ArrayBuffer>} view @returns {Delays | null} */
function vbriHeader(view) {
  if (textAt(view, VBRI_AT, 4) !== "VBRI" || VBRI_AT + 18 > view.byteLength) return null;
  return {
    delay: view.getUint16(VBRI_AT + 6),
    padding: 0,
    frames: view.getUint32(VBRI_AT + 14),
  };
}

/** @param {Blob} file @param {number} frameSamples @returns {Promise<Delays | null>} */
async function id3Note(file, frameSamples) {
  const view = await bytesAt(file, 0, Math.min(NOTE_BYTES, await tagBytes(file)));
  // UTF-16 has a zero in each character, and a mark before the first.
  const text = new TextDecoder("latin1")
    .decode(view)
    .replaceAll("\0", "")
    .replaceAll(/[\xff\xfe]/g, " ");
  const note = parseNote(text.slice(text.indexOf(NOTE) + NOTE.length));
  if (!text.includes(NOTE) || !note) return null;
  const { delay, padding, length } = note;
  return { delay, padding, frames: Math.round((delay + padding + length) / frameSamples) };
}
