/** What can be written to a file only when all else is: lengths, checksums, and what follows them. */

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").StreamTargetChunk} Chunk */
/** @typedef {(data: Uint8Array<ArrayBuffer>, position: number) => Promise<void>} Write */

/**
 * A stream that writes the end of a file before it is closed.
 * @param {WritableStream<Chunk>} writable
 * @param {(write: Write, size: number) => Promise<void>} end `size` is that of the file so far
 * @returns {WritableStream<Chunk>}
 */
export function withEnding(writable, end) {
  const writer = writable.getWriter();
  let size = 0;
  return new WritableStream({
    write(chunk) {
      size = Math.max(size, chunk.position + chunk.data.length);
      return writer.write(chunk);
    },
    async close() {
      await end((data, position) => writer.write({ type: "write", data, position }), size);
      await writer.close();
    },
    abort: (reason) => writer.abort(reason),
  });
}
