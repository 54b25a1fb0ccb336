/**
 * Splits Ogg files into links, as Icecast chains one to another between songs, and reads their pages past damage.
 * `demixer.runtimes.links` does the same in Python.
 */

import { bytesAt, textAt } from "./file-bytes.js";

/** A page has a header, then the lengths of up to 255 segments of up to 255 bytes. */
const HEADER_BYTES = 27;
const MAX_HEADER_BYTES = HEADER_BYTES + 255;
const WINDOW_BYTES = 1 << 20;

/** "OggS" */
const CAPTURE = 0x4f676753;

const [BEGINS, ENDS] = [2, 4];

/** Position of a page on which no packet ends. */
const NONE = -1;

/** Before the signature of a FLAC file in the first packet of FLAC in Ogg. */
const FLAC_PREFIX_BYTES = 9;

/**
 * @typedef {object} Page
 * @property {number} start
 * @property {number} body start of its content
 * @property {number} end
 * @property {number} flags
 * @property {number} granule samples up to the last packet that ends on the page; `NONE` when none does
 * @property {number} serial of its stream
 * @property {number} number in its stream
 */

/** @param {Blob} file @returns {Promise<import("./links.js").Link[]>} Ogg files of one link each; FLAC without Ogg */
export async function oggLinks(file) {
  /** @type {Page[][]} */
  const links = [];
  let isHeader = false;
  for await (const page of pages(file)) {
    const begins = (page.flags & BEGINS) > 0;
    if (links.length === 0 || (begins && !isHeader)) links.push([]);
    isHeader = begins;
    links.at(-1)?.push(page);
  }
  return Promise.all(
    links.map(async (link) => ({
      file: (await flac(file, link)) ?? joined(file, link),
      isCut: isCut(link),
      frames: 0,
      header: null,
    })),
  );
}

/** True when a page is missing between others, or the one that ends a stream. @param {Page[]} link */
function isCut(link) {
  /** @type {Set<number>} */
  const unended = new Set();
  /** @type {Map<number, number>} */
  const numbers = new Map();
  let hasSound = false;
  for (const { serial, number, flags, granule } of link) {
    if (flags & ENDS) unended.delete(serial);
    else unended.add(serial);
    // Before the first sound, a stream that was joined late has a gap, but nothing is missing.
    if (hasSound && number > (numbers.get(serial) ?? number) + 1) return true;
    numbers.set(serial, number);
    if (granule > 0) hasSound = true;
  }
  return unended.size > 0;
}

/**
 * The end of a link as a small Ogg file of its headers and last two pages, of whose packets nothing is left out.
 * @param {Blob} link
 * @param {number} serial
 * @returns {Promise<{ file: Blob, last: number, samples: number } | null>} offset of the last page, and the samples on it
 *   that are the song's; null when the file does not tell
 */
export async function oggEnd(link, serial) {
  /** @type {Page[]} */
  const headers = [];
  /** @type {Page[]} */
  const sound = [];
  for await (const page of pages(link)) {
    if (page.serial !== serial) continue;
    (page.granule === 0 && sound.length === 0 ? headers : sound).push(page);
    const ends = sound.filter(({ granule }) => granule !== NONE);
    if (ends.length > 2) sound.splice(0, 1 + sound.indexOf(ends[0]));
  }
  const last = sound.findLastIndex(({ granule }) => granule !== NONE);
  if (last < 0) return null;
  const before = sound.slice(0, last).find(({ granule }) => granule !== NONE);
  const { start, end, flags, granule } = sound[last];
  const head = joined(link, [...headers, ...sound.slice(0, last)]);
  const whole = new Uint8Array([flags & ~ENDS]); // so that nothing is taken off the last packet
  const file = new Blob([head, link.slice(start, start + 5), whole, link.slice(start + 6, end)]);
  return { file, last: head.size, samples: granule - (before?.granule ?? 0) };
}

/** @param {Blob} file @param {{ start: number, end: number }[]} parts */
function joined(file, parts) {
  /** @type {{ start: number, end: number }[]} */
  const runs = [];
  for (const { start, end } of parts) {
    const run = runs.at(-1);
    if (run?.end === start) run.end = end;
    else runs.push({ start, end });
  }
  return new Blob(runs.map(({ start, end }) => file.slice(start, end)));
}

/** The FLAC file in a link. @param {Blob} file @param {Page[]} link @returns {Promise<Blob | null>} */
async function flac(file, link) {
  for (const { body, serial, flags } of link) {
    const isFlac = /^\x7fFLAC.{4}fLaC/s.test(textAt(await bytesAt(file, body, 13), 0, 13));
    if (!(flags & BEGINS)) return null;
    if (!isFlac) continue;
    const bodies = link.filter((page) => page.serial === serial);
    return new Blob(bodies.map((page) => file.slice(page.body, page.end))).slice(FLAC_PREFIX_BYTES);
  }
  return null;
}

/** The whole pages, wherever they begin. @param {Blob} file @returns {AsyncGenerator<Page>} */
async function* pages(file) {
  let window = { start: 0, view: await bytesAt(file, 0, WINDOW_BYTES) };
  for (let at = 0; at + HEADER_BYTES <= file.size; ) {
    if (at + MAX_HEADER_BYTES > window.start + window.view.byteLength)
      window = { start: at, view: await bytesAt(file, at, WINDOW_BYTES) };
    const page = pageAt(window.view, at - window.start);
    if (page && at + page.bytes <= file.size) {
      const { bytes, headerBytes, ...fields } = page;
      yield { start: at, body: at + headerBytes, end: at + bytes, ...fields };
      at += bytes;
    } else {
      at = window.start + nextCapture(window.view, at - window.start + 1);
    }
  }
}

/** @param {DataView} view @param {number} at */
function pageAt(view, at) {
  if (at + HEADER_BYTES > view.byteLength || view.getUint32(at) !== CAPTURE || view.getUint8(at + 4) !== 0)
    return null;
  const segments = view.getUint8(at + HEADER_BYTES - 1);
  const headerBytes = HEADER_BYTES + segments;
  if (at + headerBytes > view.byteLength) return null;
  let bytes = headerBytes;
  for (let segment = 0; segment < segments; segment += 1) bytes += view.getUint8(at + HEADER_BYTES + segment);
  const granule = Number(view.getBigInt64(at + 6, true));
  const [serial, number] = [view.getUint32(at + 14, true), view.getUint32(at + 18, true)];
  return { headerBytes, bytes, flags: view.getUint8(at + 5), granule, serial, number };
}

/** @param {DataView} view @param {number} from @returns {number} the end of the view, or what may be a capture's start */
function nextCapture(view, from) {
  let at = from;
  while (at + 4 <= view.byteLength && view.getUint32(at) !== CAPTURE) at += 1;
  return at;
}
