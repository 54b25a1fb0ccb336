/** Reads the texts of an ID3v2 tag, which begins an MP3 file or lies in a chunk of a WAV or AIFF file. */

import { bytesAt, textAt } from "./file-bytes.js";
import { synchsafe } from "./id3-length.js";

/** Frames of version 2.2 that have longer names since. @type {Record<string, string>} */
const RENAMED = {
  TT2: "TIT2",
  TP1: "TPE1",
  TP2: "TPE2",
  TAL: "TALB",
  TCO: "TCON",
  TRK: "TRCK",
  TPA: "TPOS",
  TYE: "TYER",
  TDA: "TDAT",
  COM: "COMM",
};

const HEADER_BYTES = 10;
const UNSYNCHRONISED = 0x80;
const EXTENDED = 0x40;

/** Flags of a frame that is compressed, encrypted, or unsynchronised by itself, by version. */
const PACKED = { 3: 0x00c0, 4: 0x000c };
const FRAME_UNSYNCHRONISED = 0x0002;

/** Pictures have megabytes; nothing longer is a tag. */
const MAX_BYTES = 2 ** 26;

/** By the first byte of a text. */
const ENCODINGS = ["windows-1252", "utf-16", "utf-16be", "utf-8"];

/**
 * @param {Blob} file
 * @param {number} at position of the tag
 * @returns {Promise<Map<string, string[]>>} the values of each text frame and of the comment, by the names of version 2.4
 */
export async function readId3(file, at) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  const header = await bytesAt(file, at, HEADER_BYTES);
  if (textAt(header, 0, 3) !== "ID3" || header.byteLength < HEADER_BYTES) return found;
  const [version, flags, size] = [header.getUint8(3), header.getUint8(5), synchsafe(header.getUint32(6))];
  if (version < 2 || version > 4 || size > MAX_BYTES) return found;
  let body = new Uint8Array((await bytesAt(file, at + HEADER_BYTES, size)).buffer);
  if (flags & UNSYNCHRONISED && version < 4) body = synchronised(body);
  for (const { id, data } of frames(body, version, flags)) {
    const name = RENAMED[id] ?? id;
    const values = name === "COMM" ? comment(data) : id.startsWith("T") ? texts(data) : [];
    if (values.length > 0 && !found.has(name)) found.set(name, values);
  }
  return found;
}

/** @param {Uint8Array<ArrayBuffer>} body @param {number} version @param {number} flags of the tag */
function* frames(body, version, flags) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [idBytes, headerBytes] = version === 2 ? [3, 6] : [4, HEADER_BYTES];
  let at = 0;
  if (flags & EXTENDED && version > 2 && body.length >= 4)
    at = version === 3 ? 4 + view.getUint32(0) : synchsafe(view.getUint32(0));
  while (at + headerBytes <= body.length) {
    const id = textAt(view, at, idBytes);
    if (!/^[A-Z0-9 ]+$/.test(id)) return; // padding
    const plain = version === 2 ? view.getUint32(at + 2) & 0xffffff : view.getUint32(at + 4);
    const start = at + headerBytes;
    const size = version === 4 && isFrame(view, start + synchsafe(plain)) ? synchsafe(plain) : plain; // iTunes
    const marks = version === 2 ? 0 : view.getUint16(at + 8);
    const data = body.slice(start, start + size);
    if (!(marks & (PACKED[/** @type {3 | 4} */ (version)] ?? 0)))
      yield { id, data: version === 4 && marks & FRAME_UNSYNCHRONISED ? synchronised(data.slice(4)) : data };
    at = start + size;
  }
}

/** True when a frame, padding or the end is there. @param {DataView<ArrayBuffer>} view @param {number} at */
function isFrame(view, at) {
  return at === view.byteLength || /^(?:[A-Z0-9]{4}|\0)/.test(textAt(view, at, 4));
}

/** @param {Uint8Array<ArrayBuffer>} data */
function texts(data) {
  return decoded(data[0], data.subarray(1));
}

/**
 * @param {Uint8Array<ArrayBuffer>} data encoding, three letters for the language, a description, and the comment
 * @returns {string[]} empty when it is described: those are programs' own notes
 */
function comment(data) {
  const wide = data[0] === 1 || data[0] === 2;
  let at = 4;
  const isEnd = () => data[at] === 0 && (!wide || data[at + 1] === 0);
  while (at < data.length && !isEnd()) at += wide ? 2 : 1;
  const isDescribed = decoded(data[0], data.subarray(4, at)).length > 0;
  return isDescribed ? [] : decoded(data[0], data.subarray(at + (wide ? 2 : 1)));
}

/** @param {number} encoding @param {Uint8Array<ArrayBuffer>} bytes @returns {string[]} */
function decoded(encoding, bytes) {
  const isBigEndian = encoding === 1 && bytes[0] === 0xfe && bytes[1] === 0xff;
  const name = isBigEndian ? "utf-16be" : ENCODINGS[encoding];
  if (!name) return [];
  const values = new TextDecoder(name).decode(bytes).split("\0");
  return values.map((value) => value.replaceAll("\ufeff", "").trim()).filter(Boolean);
}

/**
 * Leaves out the zeros that keep players from taking bytes for the beginning of a frame.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function synchronised(bytes) {
  return bytes.filter((byte, index) => byte !== 0 || bytes[index - 1] !== 0xff);
}
