/** Reads the headers of files: bytes, text and IFF chunks. */

/** More than any program writes; a damaged file can look like millions of empty chunks. */
const MAX_CHUNKS = 1 << 12;

/**
 * @typedef {object} Chunk
 * @property {string} id
 * @property {number} start of its content
 * @property {number} size of its content, as the header claims
 */

/**
 * @param {Blob} file
 * @param {number} start
 * @param {number} length
 * @returns {Promise<DataView<ArrayBuffer>>} shorter at the end of the file
 */
export async function bytesAt(file, start, length) {
  return new DataView(await file.slice(start, start + length).arrayBuffer());
}

/**
 * @param {DataView<ArrayBuffer>} view
 * @param {number} start
 * @param {number} length
 * @returns {string} one character for each byte; shorter at the end of the view
 */
export function textAt(view, start, length) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return String.fromCharCode(...bytes.subarray(start, start + length));
}

/**
 * The chunks of an IFF file, such as RIFF (WAV) and AIFF.
 * @param {Blob} file
 * @param {boolean} littleEndian
 * @returns {AsyncGenerator<Chunk>}
 */
export async function* iffChunks(file, littleEndian) {
  let at = 12;
  for (let count = 0; count < MAX_CHUNKS && at + 8 <= file.size; count += 1) {
    const header = await bytesAt(file, at, 8);
    const chunk = { id: textAt(header, 0, 4), start: at + 8, size: header.getUint32(4, littleEndian) };
    if (chunk.id === "\0\0\0\0") return; // zeros of a file that was never written
    yield chunk;
    at = chunk.start + chunk.size + (chunk.size % 2);
  }
}
