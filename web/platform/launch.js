/** Songs that the system opens with the app, or shares with it. */

import { fileOf } from "../library/opfs.js";

/** Cache of shared files, filled by `service-worker/main.js`. */
const SHARED = "demixer-shared";

/** @param {(files: File[]) => void} take called with the files of each launch */
export async function onLaunch(take) {
  /** @type {any} */ (globalThis).launchQueue?.setConsumer(
    async (/** @type {{ files?: FileSystemFileHandle[] }} */ { files = [] }) => {
      if (files.length > 0) take(await Promise.all(files.map(fileOf)));
    },
  );
  const shared = await takeShared().catch(() => []);
  if (shared.length > 0) take(shared);
}

async function takeShared() {
  if (!globalThis.caches || !(await caches.has(SHARED))) return [];
  const cache = await caches.open(SHARED);
  const files = [];
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    if (!response) continue; // another tab has taken it
    const name = decodeURIComponent(response.headers.get("X-Name") ?? "");
    files.push(new File([await response.blob()], name));
  }
  await caches.delete(SHARED);
  return files;
}
