/**
 * Where an exported file goes while it is written: to a file that was picked, to one in the browser's storage, or, where
 * there is neither, into memory.
 */

import { accessTo, fileIn, fileOf, openFolder, remove, writableOf } from "../../library/opfs.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").StreamTargetChunk} Chunk */
/** @typedef {import("../protocol.js").Destination} Destination */

/**
 * @typedef {object} Sink
 * @property {WritableStream<Chunk>} writable takes bytes at any position
 * @property {() => Promise<Blob | null>} finish what was written, once the stream is closed; nothing for a picked file
 */

/** @param {Destination} destination @returns {Promise<Sink>} */
export async function openSink({ picked, scratch }) {
  if (!picked) return openTemporary(scratch, "export");
  // Bytes go to a file beside it, which takes its place when the stream is closed: nothing half-written stays.
  const writable = await writableOf(picked);
  return { writable: /** @type {WritableStream} */ (writable), finish: async () => null };
}

/**
 * A file that is only needed for a while.
 * @param {string | null} folder in the storage
 * @param {string} name
 * @returns {Promise<Sink>}
 */
export async function openTemporary(folder, name) {
  return folder === null ? openMemory() : openScratch(folder, name);
}

/** Lets go of a temporary file. @param {string | null} folder @param {string} name */
export async function dropTemporary(folder, name) {
  if (folder !== null) await remove(await openFolder(folder), name);
}

/** @param {string} path @param {string} name @returns {Promise<Sink>} */
async function openScratch(path, name) {
  const folder = await openFolder(path, { create: true });
  const handle = await fileIn(folder, name, { create: true });
  const access = await accessTo(handle);
  const writable = new WritableStream({
    write({ data, position }) {
      const written = access.write(data, { at: position });
      if (written < data.length) throw new DOMException("The storage is full.", "QuotaExceededError");
    },
    close: () => access.close(),
    abort: () => access.close(),
  });
  return { writable, finish: () => fileOf(handle) };
}

/** @returns {Sink} */
function openMemory() {
  /** Where they lie in the file; later ones may lie over earlier ones. @type {Chunk[]} */
  const chunks = [];
  const writable = new WritableStream({
    write(chunk) {
      const { data, position } = chunk;
      const before = chunks.find((each) => covers(each, chunk));
      if (before) before.data.set(data, position - before.position);
      else chunks.push({ ...chunk, data: data.slice() });
    },
  });
  return { writable, finish: async () => new Blob(chunks.map(({ data }) => /** @type {BlobPart} */ (data))) };
}

/** Whether a chunk lies where another one has been written: what is patched was written in one piece. @param {Chunk} one @param {Chunk} other */
function covers(one, other) {
  return (
    other.position >= one.position && other.position + other.data.length <= one.position + one.data.length
  );
}
