/** Folders for files that are being exported. One that no page holds any longer is left over, and goes. */

import { EXPORTS } from "./layout.js";
import { namesIn, openFolder, remove } from "./opfs.js";
import { canKeep } from "./songs.js";

/** @param {string} id */
const lockOf = (id) => `demixer-export-${id}`;

/** @returns {Promise<string | null>} path of a new folder, which a worker makes; nothing where there is no storage */
export async function newScratch() {
  if (!(await canKeep())) return null;
  await dropStale();
  const id = crypto.randomUUID();
  await new Promise((held) => {
    void navigator.locks.request(lockOf(id), () => {
      held(null);
      return new Promise(() => {}); // until this page is gone
    });
  });
  return `${EXPORTS}/${id}`;
}

/** @param {string | null} path */
export async function dropScratch(path) {
  if (path !== null)
    await remove(await openFolder(EXPORTS, { create: true }), path.slice(EXPORTS.length + 1));
}

async function dropStale() {
  const folder = await openFolder(EXPORTS, { create: true });
  for (const id of await namesIn(folder)) {
    await navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => lock && remove(folder, id));
  }
}
