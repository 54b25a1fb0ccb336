/** The chunks of an IFF file, of which RIFF (WAV) and AIFF are kinds. */

import { bytesAt, textAt } from "./file-bytes.js";

/** More than any program writes: a damaged file can look like millions of empty chunks. */
const MOST = 256;

/**
 * @typedef {object} Chunk
 * @property {string} id
 * @property {number} start of its content
 * @property {number} size of its content, as claimed
 */

/**
 * @param {Blob} file
 * @param {boolean} littleEndian
 * @returns {AsyncGenerator<Chunk>}
 */
export async function* iffChunks(file, littleEndian) {
  let at = 12;
  for (let count = 0; count < MOST && at + 8 <= file.size; count += 1) {
    const header = await bytesAt(file, at, 8);
    const chunk = { id: textAt(header, 0, 4), start: at + 8, size: header.getUint32(4, littleEndian) };
    yield chunk;
    at = chunk.start + chunk.size + (chunk.size % 2);
  }
}
