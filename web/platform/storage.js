/** Space and caches of this page in the browser, and their removal. */

import { recall, remember } from "./preferences.js";

const PERSIST_KEY = "persist-asked";

/** @returns {Promise<{ usage: number, quota: number }>} bytes; 0 when the browser does not say */
export async function space() {
  const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return { usage, quota };
}

/** Asks the browser, once, not to clear this page's storage when the disk fills up. */
export async function askToPersist() {
  if (recall(PERSIST_KEY)) return;
  remember(PERSIST_KEY, "yes");
  await navigator.storage?.persist?.();
}

/** Removes the page's own files; they return with the next visit. */
export async function dropShell() {
  const registrations = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  await Promise.all(registrations.map((registration) => registration.unregister()));
  await dropCaches((name) => name === "demixer-shell");
}

export const dropRuntime = () => dropCaches((name) => name === "demixer-runtime");

export async function dropEverything() {
  await dropShell();
  await dropCaches(() => true);
}

/** @param {(name: string) => boolean} chosen */
async function dropCaches(chosen) {
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.filter(chosen).map((name) => caches.delete(name)));
}
