/**
 * Gives the memory of arrays back at once: until the garbage collector comes, there would be many segments' of it.
 * @param {ArrayBufferView<ArrayBuffer>[]} arrays that nobody needs any more
 */
export function free(arrays) {
  for (const { buffer } of arrays) if (!buffer.detached) buffer.transfer?.(0);
}
