/** Reads from an MP4 file which of a track's decoded samples are the song. */

import { bytesAt, textAt } from "./file-bytes.js";
import { NOTE, parseNote } from "./itunes-note.js";

/** @typedef {{ type: string, start: number, end: number }} Box offsets of a box's content in a view */

/** Enough for the tables of a whole day; a larger claim is damage. */
const MAX_TABLE_BYTES = 1 << 26;

/**
 * The span of the song by iTunes' gapless note, which counts samples, or else by the edit list and packet durations.
 * @param {Blob} file
 * @param {number} id of the track
 * @param {number} rate in Hz
 * @param {() => Promise<number>} fragmentsEnd seconds from the first to the end of the last packet, for files without a table of them
 * @returns {Promise<{ start: number, stop: number }>} in seconds from the first decoded sample
 */
export async function mp4Span(file, id, rate, fragmentsEnd) {
  const moov = await movie(file);
  const track = moov && [...within(moov, moov.root, "trak")].find((box) => trackId(moov, box) === id);
  if (!track) return { start: 0, stop: Number.POSITIVE_INFINITY };
  const note = gaplessNote(moov);
  if (!note) {
    const { start, stop } = editedSpan(moov, track);
    return { start, stop: Number.isFinite(stop) ? stop : await fragmentsEnd() };
  }
  const { delay, padding, length } = note;
  // In HE-AAC it counts samples of the core, at half the rate, as the packets do.
  const seconds = packetsEnd(moov, track) / timescale(moov, first(moov, track, "mdia", "mdhd"));
  const isCores = seconds * rate > 1.5 * (delay + length + padding);
  const unit = isCores ? 2 / rate : 1 / rate;
  return { start: delay * unit, stop: (delay + length) * unit };
}

/** @typedef {{ view: DataView<ArrayBuffer>, root: Box }} Movie */

/** @param {Blob} file @returns {Promise<Movie | null>} */
async function movie(file) {
  for (let at = 0; at + 8 <= file.size; ) {
    const header = await bytesAt(file, at, 16);
    const short = header.getUint32(0);
    const [headerBytes, size] =
      short === 1 ? [16, Number(header.getBigUint64(8))] : [8, short || file.size - at];
    if (size < headerBytes) return null;
    if (textAt(header, 4, 4) === "moov") {
      if (size > MAX_TABLE_BYTES) return null;
      const view = await bytesAt(file, at + headerBytes, size - headerBytes);
      return { view, root: { type: "moov", start: 0, end: view.byteLength } };
    }
    at += size;
  }
  return null;
}

/**
 * The boxes inside another one at the end of a path of types.
 * @param {Movie} movie
 * @param {Box} box
 * @param {...string} path
 * @returns {Generator<Box>}
 */
function* within(movie, box, ...path) {
  const [type, ...rest] = path;
  for (let at = box.start; at + 8 <= box.end; ) {
    const size = movie.view.getUint32(at) || box.end - at;
    if (size < 8 || at + size > box.end) return;
    const inner = { type: textAt(movie.view, at + 4, 4), start: at + 8, end: at + size };
    if (inner.type === type) {
      if (rest.length === 0) yield inner;
      else yield* within(movie, inner, ...rest);
    }
    at += size;
  }
}

/** @param {Movie} movie @param {Box} box @param {...string} path @returns {Box | null} */
function first(movie, box, ...path) {
  return within(movie, box, ...path).next().value ?? null;
}

/** @param {Movie} movie @param {Box} track */
function trackId(movie, track) {
  const header = first(movie, track, "tkhd");
  return header && movie.view.getUint32(header.start + (isLong(movie, header) ? 20 : 12));
}

/** True when the box has times of 64 bits. @param {Movie} movie @param {Box} box */
function isLong(movie, box) {
  return movie.view.getUint8(box.start) === 1;
}

/** @param {Movie} movie @param {Box | null} header `mvhd` or `mdhd` */
function timescale(movie, header) {
  return header ? movie.view.getUint32(header.start + (isLong(movie, header) ? 20 : 12)) : 0;
}

/** @param {Movie} movie */
function gaplessNote(movie) {
  const meta = first(movie, movie.root, "udta", "meta");
  const tags = meta && within(movie, { ...meta, start: meta.start + 4 }, "ilst", "----");
  for (const tag of tags ?? []) {
    const [name, data] = ["name", "data"].map((type) => first(movie, tag, type));
    const isNote = name && textAt(movie.view, name.start + 4, name.end - name.start - 4) === NOTE;
    const note = isNote && data && parseNote(textAt(movie.view, data.start + 8, data.end - data.start - 8));
    if (note) return note;
  }
  return null;
}

/** @param {Movie} movie @param {Box} track */
function editedSpan(movie, track) {
  const scale = timescale(movie, first(movie, track, "mdia", "mdhd"));
  const end = packetsEnd(movie, track) / scale || Number.POSITIVE_INFINITY;
  const edits = editList(movie, track).filter(({ start }) => start >= 0);
  if (edits.length !== 1) return { start: Math.max(0, edits[0]?.start ?? 0) / scale || 0, stop: end };
  const start = edits[0].start / scale;
  const tick = 1 / timescale(movie, first(movie, movie.root, "mvhd"));
  const stop = edits[0].length > 0 ? start + edits[0].length * tick : end;
  // The movie's clock is often too coarse for samples: within a tick, the packets are more precise.
  return { start, stop: stop > end - tick ? end : stop };
}

/** @param {Movie} movie @param {Box} track */
function editList({ view, root }, track) {
  const list = first({ view, root }, track, "edts", "elst");
  if (!list) return [];
  const [size, long] = isLong({ view, root }, list) ? [20, true] : [12, false];
  const count = Math.min(view.getUint32(list.start + 4), Math.floor((list.end - list.start - 8) / size));
  return Array.from({ length: count }, (_, index) => {
    const at = list.start + 8 + index * size;
    if (long) return { length: Number(view.getBigUint64(at)), start: Number(view.getBigInt64(at + 8)) };
    return { length: view.getUint32(at), start: view.getInt32(at + 4) };
  });
}

/** Sum of the packets' durations. @param {Movie} movie @param {Box} track */
function packetsEnd(movie, track) {
  const table = first(movie, track, "mdia", "minf", "stbl", "stts");
  if (!table) return 0;
  let end = 0;
  for (let at = table.start + 8; at + 8 <= table.end; at += 8)
    end += movie.view.getUint32(at) * movie.view.getUint32(at + 4);
  return end;
}
