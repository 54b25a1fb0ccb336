/**
 * Frees the memory of arrays now instead of at the next garbage collection, which may come many segments later.
 * @param {ArrayBufferView<ArrayBuffer>[]} arrays that are no longer used
 */
export function free(arrays) {
  for (const { buffer } of arrays) if (!buffer.detached) buffer.transfer?.(0);
}
