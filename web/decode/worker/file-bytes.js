/** Small pieces of a file, for what reads headers. */

/**
 * @param {Blob} file
 * @param {number} start
 * @param {number} length
 * @returns {Promise<DataView<ArrayBuffer>>} shorter where the file ends
 */
export async function bytesAt(file, start, length) {
  return new DataView(await file.slice(start, start + length).arrayBuffer());
}

/**
 * @param {DataView<ArrayBuffer>} view
 * @param {number} start
 * @param {number} length
 * @returns {string} one character a byte; shorter where the view ends
 */
export function textAt(view, start, length) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
