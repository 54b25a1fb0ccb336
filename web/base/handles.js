/** Handles that have not answered yet. @type {Map<Promise<unknown>, FileSystemHandle>} */
const asked = new Map();

/**
 * Asks a handle that nobody else may refer to: Chromium never answers one that is collected before the answer comes.
 * @template {FileSystemHandle} H
 * @template T
 * @param {H} handle
 * @param {(handle: H) => Promise<T>} question
 * @returns {Promise<T>}
 */
export async function held(handle, question) {
  const answer = question(handle);
  asked.set(answer, handle);
  try {
    return await answer;
  } finally {
    asked.delete(answer);
  }
}
