/** Lengths of ID3v2 tags, which stand before MP3 and AAC streams, and sometimes between their frames. */

import { bytesAt, textAt } from "./file-bytes.js";

const HEADER_BYTES = 10;

/** A number written in seven bits of each of four bytes. @param {number} word */
export function synchsafe(word) {
  return ((word >>> 3) & 0xfe00000) | ((word >>> 2) & 0x1fc000) | ((word >>> 1) & 0x3f80) | (word & 0x7f);
}

/** Length of a tag. @param {DataView} header */
export function id3Bytes(header) {
  return synchsafe(header.getUint32(6)) + HEADER_BYTES;
}

/** Length of the tags at the start, which may hold a picture of megabytes. @param {Blob} file */
export async function tagBytes(file) {
  for (let at = 0; ; ) {
    const header = await bytesAt(file, at, HEADER_BYTES);
    if (header.byteLength < HEADER_BYTES || textAt(header, 0, 3) !== "ID3") return at;
    const end = at + id3Bytes(header);
    at = end > file.size ? at + HEADER_BYTES : end; // a claim beyond the end is damage
  }
}
