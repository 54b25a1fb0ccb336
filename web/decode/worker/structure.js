/**
 * Holds a file's size against the sizes that its own structure names: boxes of MP4, and elements of Matroska. The readers
 * of WAV and AIFF do so for chunks, and `demixer.runtimes.structure` for the command line.
 */

import { bytesAt, textAt } from "./file-bytes.js";

/** @param {Blob} file @returns {Promise<{ isCut: boolean, isFragmented: boolean }>} of an MP4 */
export async function boxes(file) {
  let isFragmented = false;
  for (let at = 0; at + 8 <= file.size; ) {
    const header = await bytesAt(file, at, 16);
    const [short, type] = [header.getUint32(0), textAt(header, 4, 4)];
    const size =
      short === 1 && header.byteLength === 16 ? Number(header.getBigUint64(8)) : short || file.size - at;
    if (size < 8 || !/^[A-Za-z0-9]{4}$/.test(type)) break; // no box, but something behind the last one
    if (type === "moof") isFragmented = true;
    if (at + size > file.size) return { isCut: true, isFragmented };
    at += size;
  }
  return { isCut: false, isFragmented };
}
