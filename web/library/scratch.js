/** Folders for the temporary files of exports. Folders that no open page holds are removed. */

import { EXPORTS } from "./layout.js";
import { namesIn, openFolder, remove } from "./opfs.js";
import { canKeep } from "./songs.js";

/** @param {string} id */
const lockOf = (id) => `demixer-export-${id}`;

/** @returns {Promise<string | null>} path of a new folder, which a worker creates; null without storage */
export async function openScratch() {
  if (!(await canKeep())) return null;
  await removeAbandoned();
  const id = crypto.randomUUID();
  await new Promise((held) => {
    void navigator.locks.request(lockOf(id), () => {
      held(null);
      return new Promise(() => {}); // until this page closes
    });
  });
  return `${EXPORTS}/${id}`;
}

/** @param {string | null} path */
export async function removeScratch(path) {
  if (path !== null)
    await remove(await openFolder(EXPORTS, { create: true }), path.slice(EXPORTS.length + 1));
}

async function removeAbandoned() {
  const folder = await openFolder(EXPORTS, { create: true });
  for (const id of await namesIn(folder)) {
    await navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => lock && remove(folder, id));
  }
}
