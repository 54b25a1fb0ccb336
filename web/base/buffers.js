/** Memory of samples and of files. */

/**
 * Frees the memory of arrays now instead of at the next garbage collection, which may come many segments later.
 * @param {ArrayBufferView<ArrayBuffer>[]} arrays that are no longer used
 */
export function free(arrays) {
  for (const { buffer } of arrays) if (!buffer.detached) buffer.transfer?.(0);
}

/** Copies parts into one, one after another. @param {Uint8Array[]} parts */
export function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
