/**
 * Files and folders in the browser's private storage (OPFS), and files that were picked. Only this module calls methods
 * of their handles. The page reads and removes; only workers write, with synchronous handles: every browser has them,
 * and their writes are complete when they return.
 */

import { DemixError } from "../base/errors.js";
import { pause } from "../base/waiting.js";

/** @typedef {FileSystemDirectoryHandle} Folder */

const RETRY_MS = 100;
const MAX_ATTEMPTS = 100;

/** Handles with a pending operation. @type {Map<Promise<unknown>, FileSystemHandle>} */
const pending = new Map();

/**
 * Keeps a handle from being collected during an operation on it, which Chromium would then never complete.
 * @template {FileSystemHandle} H
 * @template T
 * @param {H} handle
 * @param {(handle: H) => Promise<T>} operation
 * @returns {Promise<T>}
 */
export async function held(handle, operation) {
  const result = operation(handle);
  pending.set(result, handle);
  try {
    return await result;
  } finally {
    pending.delete(result);
  }
}

/**
 * @param {string} path names with slashes between
 * @param {{ create?: boolean }} [options]
 * @returns {Promise<Folder>}
 * @throws {DOMException} `NotFoundError`, or `SecurityError` in a private window without storage
 */
export async function openFolder(path, options) {
  let folder = await navigator.storage.getDirectory();
  for (const name of path.split("/")) folder = await folderIn(folder, name, options);
  return folder;
}

/** True when this browser window has private storage. */
export async function hasStorage() {
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}

/**
 * True when files can be written here. Some windows have private storage in name only: without synchronous handles, or
 * without a byte that stays. Workers only.
 * @throws {DemixError} `storage/quota`: a full storage is none of these
 */
export async function canWrite() {
  const name = `probe-${crypto.randomUUID()}`;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  try {
    const root = await navigator.storage.getDirectory();
    try {
      const file = await fileOf(await writeFile(root, name, bytes));
      return new Uint8Array(await file.arrayBuffer()).join() === bytes.join();
    } finally {
      await remove(root, name);
    }
  } catch (error) {
    if (DemixError.wrap(error).code === "storage/quota") throw error;
    return false;
  }
}

/**
 * Removes a file or a folder with its contents, if it exists.
 * @param {Folder} folder
 * @param {string} name
 */
export function remove(folder, name) {
  return whenUnlocked(() => held(folder, (parent) => parent.removeEntry(name, { recursive: true })));
}

/**
 * Removes a file that was picked, in browsers that allow it.
 * @param {FileSystemFileHandle & { remove?: () => Promise<void> }} file
 */
export function removePicked(file) {
  return whenUnlocked(() => held(file, async () => file.remove?.()));
}

/** Retries while a file is locked. @param {() => Promise<void>} act */
async function whenUnlocked(act) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (isMissing(error)) return;
      if (!isLocked(error) || attempt === MAX_ATTEMPTS) throw error;
      await pause(RETRY_MS); // the browser is still closing the files of a terminated worker
    }
  }
}

/**
 * @param {Folder} folder
 * @param {string} name
 * @returns {Promise<File | null>} null when there is no such file
 */
export async function openFile(folder, name) {
  try {
    return await fileOf(await fileIn(folder, name));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** @param {Folder} parent @param {string} name @param {{ create?: boolean }} [options] */
export const folderIn = (parent, name, options) =>
  held(parent, () => parent.getDirectoryHandle(name, options));

/** @param {Folder} parent @param {string} name @param {{ create?: boolean }} [options] */
export const fileIn = (parent, name, options) => held(parent, () => parent.getFileHandle(name, options));

/** @param {FileSystemFileHandle} handle */
export const fileOf = (handle) => held(handle, (file) => file.getFile());

/** Workers only. @param {FileSystemFileHandle} handle */
export const accessTo = (handle) => held(handle, (file) => file.createSyncAccessHandle());

/** @param {FileSystemFileHandle} handle */
export const writableOf = (handle) => held(handle, (file) => file.createWritable());

/** @param {Folder} folder @returns {Promise<string[]>} */
export async function namesIn(folder) {
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

/**
 * @param {Folder} folder
 * @param {string} name
 * @returns {Promise<any>} the value that `writeJson` wrote; null when the file is missing or incomplete
 */
export async function readJson(folder, name) {
  try {
    return JSON.parse((await (await openFile(folder, name))?.text()) ?? "null");
  } catch {
    return null;
  }
}

/**
 * Writes a file. Workers only. The bytes are on the disk when this resolves.
 * @param {Folder} folder
 * @param {string} name of a file to create or replace
 * @param {ArrayBufferView<ArrayBuffer>} bytes
 * @throws {DemixError} `storage/quota` or `storage/unavailable`
 */
export async function writeFile(folder, name, bytes) {
  try {
    const handle = await fileIn(folder, name, { create: true });
    const access = await accessTo(handle);
    try {
      if (access.getSize() > 0) access.truncate(0); // takes as long as writing a small file
      writeAll(access, bytes);
      access.flush();
    } finally {
      access.close();
    }
    return handle;
  } catch (error) {
    throw DemixError.wrap(error, "storage/unavailable");
  }
}

/**
 * Writes all bytes; the browser may take few at a time. Workers only.
 * @param {FileSystemSyncAccessHandle} access
 * @param {ArrayBufferView<ArrayBuffer>} bytes
 * @param {number} [start] in the file
 * @throws {DemixError} `storage/quota` when the storage takes no more
 */
export function writeAll(access, { buffer, byteOffset, byteLength }, start = 0) {
  for (let done = 0; done < byteLength; ) {
    const rest = new Uint8Array(buffer, byteOffset + done, byteLength - done);
    const written = access.write(rest, { at: start + done });
    if (written === 0) throw new DemixError("storage/quota", "The storage takes no more bytes.");
    done += written;
  }
}

/** Workers only. @param {Folder} folder @param {string} name @param {object} value */
export function writeJson(folder, name, value) {
  return writeFile(folder, name, new TextEncoder().encode(JSON.stringify(value)));
}

/** @param {unknown} error */
const isLocked = (error) => error instanceof DOMException && error.name === "NoModificationAllowedError";

/** @param {unknown} error */
const isMissing = (error) => error instanceof DOMException && error.name === "NotFoundError";
