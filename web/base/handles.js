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
