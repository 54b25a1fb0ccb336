/** Sinks take the bytes of a file: in a file that was picked, in the browser's storage, or in memory. */

import { DemixError } from "../../base/errors.js";
import {
  accessTo,
  canWrite,
  fileIn,
  fileOf,
  openFolder,
  remove,
  writableOf,
  writeAll,
} from "../../library/opfs.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").StreamTargetChunk} Chunk */
/** @typedef {import("../protocol.js").Destination} Destination */

/**
 * @typedef {object} File
 * @property {(chunk: Chunk) => void | Promise<void>} write
 * @property {() => void | Promise<void>} close keeps what was written
 * @property {() => void | Promise<void>} abort
 * @property {() => Promise<Blob | null>} read
 */

export class Sink {
  #file;
  #open = true;

  /** @param {File} file */
  constructor(file) {
    this.#file = file;
    /** Takes bytes at any position. @type {WritableStream<Chunk>} */
    this.writable = new WritableStream({
      write: (chunk) => file.write(chunk),
      close: async () => {
        await file.close();
        this.#open = false;
      },
    });
  }

  /** The file once its stream is closed; null when it was picked. */
  read() {
    return this.#file.read();
  }

  /** Releases the file, and discards its content if the stream has not been closed. */
  async close() {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.abort();
  }
}

/** @param {Destination} destination @returns {Promise<Sink>} */
export async function openSink({ picked, scratch }) {
  return picked ? openPicked(picked) : openTemporary(scratch, "export");
}

/**
 * A file in a folder of the storage; in memory without one, or where nothing can be written.
 * @param {string | null} folder
 * @param {string} name
 */
export async function openTemporary(folder, name) {
  return folder !== null && (await canWrite()) ? openStored(folder, name) : openMemory();
}

/** @param {string | null} folder @param {string} name */
export async function removeTemporary(folder, name) {
  if (folder !== null) await remove(await openFolder(folder, { create: true }), name);
}

/**
 * Bytes go to a copy beside the file, which replaces it when the stream is closed: no half-written file stays.
 * @param {FileSystemFileHandle} handle
 */
async function openPicked(handle) {
  const copy = await onDisk(writableOf(handle));
  return new Sink({
    write: (chunk) => onDisk(copy.write(/** @type {FileSystemWriteChunkType} */ (chunk))),
    close: () => onDisk(copy.close()),
    abort: () => copy.abort(),
    read: async () => null,
  });
}

/**
 * The outcome of an operation on a picked file: a disk may be gone, a folder protected, a file open in another program.
 * @template T
 * @param {Promise<T>} operation
 * @returns {Promise<T>}
 * @throws {DemixError} `storage/quota` or `storage/unavailable`
 */
async function onDisk(operation) {
  try {
    return await operation;
  } catch (reason) {
    const { code, message } = DemixError.wrap(reason);
    if (code === "cancelled" || code === "storage/quota") throw reason;
    throw new DemixError("storage/unavailable", message, "picked");
  }
}

/** @param {string} path @param {string} name */
async function openStored(path, name) {
  const handle = await fileIn(await openFolder(path, { create: true }), name, { create: true });
  const access = await accessTo(handle);
  try {
    access.truncate(0);
  } catch (error) {
    access.close();
    throw error;
  }
  return new Sink({
    write: ({ data, position }) => writeAll(access, data, position),
    close: () => access.close(),
    abort: () => access.close(),
    read: () => fileOf(handle),
  });
}

function openMemory() {
  /** @type {Chunk[]} */
  const chunks = [];
  return new Sink({
    write(chunk) {
      const { data, position } = chunk;
      const before = chunks.find((each) => covers(each, chunk));
      if (before) before.data.set(data, position - before.position);
      else chunks.push({ ...chunk, data: data.slice() });
    },
    close: () => {},
    abort: () => {},
    read: async () => new Blob(chunks.map(({ data }) => /** @type {BlobPart} */ (data))),
  });
}

/** True when a chunk overwrites a part of another one; headers are patched within one chunk. @param {Chunk} one @param {Chunk} other */
function covers(one, other) {
  return (
    other.position >= one.position && other.position + other.data.length <= one.position + one.data.length
  );
}
