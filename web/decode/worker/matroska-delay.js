/** Reads the encoder's delay from Matroska and WebM files, which give it in nanoseconds. */

import { bytesAt } from "./file-bytes.js";

/** Element ids. */
const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const TRACKS = 0x1654ae6b;
const TRACK = 0xae;
const TRACK_NUMBER = 0xd7;
const CODEC_DELAY = 0x56aa;

/** An id of four bytes and a size of eight. */
const HEADER_BYTES = 12;

/** Descriptions of tracks are short; a larger claim is damage. */
const MAX_TRACKS_BYTES = 1 << 24;

/**
 * @param {Blob} file
 * @param {number} id of the track
 * @returns {Promise<number>} in seconds; 0 when the file names none
 */
export async function matroskaDelay(file, id) {
  const tracks = await tracksOf(file);
  if (!tracks) return 0;
  for (const track of elements(tracks, 0, tracks.byteLength)) {
    if (track.id !== TRACK) continue;
    const fields = new Map(
      Array.from(elements(tracks, track.start, track.end), (field) => [field.id, field]),
    );
    const value = (/** @type {number} */ name) => number(tracks, fields.get(name));
    if (value(TRACK_NUMBER) === id) return value(CODEC_DELAY) / 1e9;
  }
  return 0;
}

/** The descriptions of the tracks, which precede the first cluster. @param {Blob} file */
async function tracksOf(file) {
  for (let at = 0; at < file.size; ) {
    const element = header(await bytesAt(file, at, HEADER_BYTES), 0);
    if (!element || element.id === CLUSTER) return null;
    const { id, start, size } = element;
    if (id === TRACKS) return size > MAX_TRACKS_BYTES ? null : bytesAt(file, at + start, size);
    at += id === SEGMENT ? start : start + size;
  }
  return null;
}

/** @param {DataView} view @param {number} from @param {number} to */
function* elements(view, from, to) {
  for (let at = from; at < to; ) {
    const element = header(view, at);
    if (!element) return;
    const end = element.start + element.size;
    if (end > to) return;
    yield { id: element.id, start: element.start, end };
    at = end;
  }
}

/** An id and a size; leading zero bits give the length of each. @param {DataView} view @param {number} at */
function header(view, at) {
  const idBytes = at < view.byteLength ? Math.clz32(view.getUint8(at)) - 23 : 0;
  const sizeAt = at + idBytes;
  const sizeBytes = sizeAt < view.byteLength ? Math.clz32(view.getUint8(sizeAt)) - 23 : 0;
  const start = sizeAt + sizeBytes;
  if (idBytes < 1 || idBytes > 4 || sizeBytes < 1 || sizeBytes > 8 || start > view.byteLength) return null;
  const top = view.getUint8(sizeAt) & (0xff >> sizeBytes);
  const size = top * 0x100 ** (sizeBytes - 1) + bigEndian(view, sizeAt + 1, start);
  return { id: bigEndian(view, at, sizeAt), start, size };
}

/** @param {DataView} view @param {{ start: number, end: number }} [field] */
function number(view, field) {
  return field ? bigEndian(view, field.start, field.end) : 0;
}

/** @param {DataView} view @param {number} from @param {number} to */
function bigEndian(view, from, to) {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 0x100 + view.getUint8(at);
  return value;
}
