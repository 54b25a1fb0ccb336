/**
 * Reads the encoder's delay and padding from Matroska and WebM files, which give them in nanoseconds, and mends files that
 * break off, of which the demuxer would not read the last cluster.
 */

import { bytesAt } from "./file-bytes.js";

/** Element ids. */
const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const TRACKS = 0x1654ae6b;
const TRACK = 0xae;
const TRACK_NUMBER = 0xd7;
const CODEC_DELAY = 0x56aa;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const DISCARD_PADDING = 0x75a2;

/** An id of four bytes and a size of eight. */
const HEADER_BYTES = 12;

/** Descriptions of tracks and clusters of packets are short; a larger claim is damage. */
const MAX_BYTES = 1 << 26;

/** @typedef {{ id: number, start: number, end: number }} Element start and end of its content */

/**
 * @param {Blob} file
 * @param {number} track its number
 * @returns {Promise<{ delay: number, padding: number }>} in seconds, before and after the song; 0 when the file names none
 */
export async function matroskaPadding(file, track) {
  /** @type {Element[]} */
  const clusters = [];
  let delay = 0;
  for await (const element of topElements(file)) {
    if (element.end > file.size) continue;
    if (element.id === CLUSTER) clusters.push(element);
    else if (element.id === TRACKS) delay = codecDelay(await contentOf(file, element), track);
  }
  for (const cluster of clusters.reverse()) {
    const padding = discardPadding(await contentOf(file, cluster), track);
    if (padding !== null) return { delay, padding };
  }
  return { delay, padding: 0 };
}

/**
 * The segment and the elements inside it; the last one may end behind the file.
 * @param {Blob} file
 * @returns {AsyncGenerator<Element & { at: number }>}
 */
async function* topElements(file) {
  for (let at = 0; at < file.size; ) {
    const element = header(await bytesAt(file, at, HEADER_BYTES), 0);
    if (!element) return;
    const { id, size } = element;
    const start = at + element.start;
    yield { id, at, start, end: start + size };
    at = id === SEGMENT ? start : start + size;
  }
}

/**
 * The file up to its last whole block.
 * @param {Blob} file
 * @returns {Promise<import("./links.js").Link>}
 */
export async function wholeBlocks(file) {
  let isCut = false;
  for await (const { id, at, start, end } of topElements(file)) {
    if (end <= file.size || end === Number.POSITIVE_INFINITY) continue;
    isCut = true;
    if (id === SEGMENT) continue;
    const content = await bytesAt(file, start, id === CLUSTER ? Math.min(file.size - start, MAX_BYTES) : 0);
    const last = Array.from(elements(content, 0, content.byteLength)).at(-1)?.end ?? 0;
    const parts = last > 0 ? [clusterHeader(last), file.slice(start, start + last)] : [];
    return { file: new Blob([file.slice(0, at), ...parts]), isCut, frames: 0, header: null };
  }
  return { file, isCut, frames: 0, header: null };
}

/** @param {number} size */
function clusterHeader(size) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  view.setUint32(0, CLUSTER);
  view.setBigUint64(4, BigInt(size));
  view.setUint8(4, 1); // a size of eight bytes
  return view;
}

/** @param {Blob} file @param {Element} element @returns {Promise<DataView>} empty when it is too large */
async function contentOf(file, { start, end }) {
  return bytesAt(file, start, end - start > MAX_BYTES ? 0 : end - start);
}

/** @param {DataView} tracks @param {number} track */
function codecDelay(tracks, track) {
  for (const { id, start, end } of elements(tracks, 0, tracks.byteLength)) {
    if (id !== TRACK) continue;
    const fields = new Map(Array.from(elements(tracks, start, end), (field) => [field.id, field]));
    const value = (/** @type {number} */ name) => number(tracks, fields.get(name));
    if (value(TRACK_NUMBER) === track) return value(CODEC_DELAY) / 1e9;
  }
  return 0;
}

/**
 * @param {DataView} cluster
 * @param {number} track
 * @returns {number | null} in seconds, after the track's last packet; null when there is none of its packets
 */
function discardPadding(cluster, track) {
  let padding = null;
  for (const element of elements(cluster, 0, cluster.byteLength)) {
    const isGroup = element.id === BLOCK_GROUP;
    const fields = isGroup ? [...elements(cluster, element.start, element.end)] : [element];
    const block = fields.find(({ id }) => id === (isGroup ? BLOCK : SIMPLE_BLOCK));
    if (!block || trackNumber(cluster, block) !== track) continue;
    padding =
      number(
        cluster,
        fields.find(({ id }) => id === DISCARD_PADDING),
      ) / 1e9;
  }
  return padding;
}

/** A block begins with the number of its track, in the form of a size. @param {DataView} view @param {Element} block */
function trackNumber(view, { start, end }) {
  const bytes = start < end ? Math.clz32(view.getUint8(start)) - 23 : 0;
  if (bytes < 1 || bytes > 8 || start + bytes > end) return 0;
  return bigEndian(view, start, start + bytes) - 2 ** (7 * bytes);
}

/**
 * @param {DataView} view
 * @param {number} from
 * @param {number} to
 * @returns {Generator<Element>}
 */
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
  const isUnknown = size >= 2 ** (7 * sizeBytes) - 1; // of a program that streams
  return { id: bigEndian(view, at, sizeAt), start, size: isUnknown ? Number.POSITIVE_INFINITY : size };
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
