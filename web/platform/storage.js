/** Caches of this page in the browser: how long they are kept, and their removal. */

import { recall, remember } from "./preferences.js";

const PERSIST_KEY = "persist-asked";

/**
 * Asks the browser, once, not to clear this page's storage when the disk fills up. To be called in a click. Nothing
 * waits for the answer: Firefox asks the user, who may never give one.
 */
export function askToPersist() {
  if (recall(PERSIST_KEY)) return;
  remember(PERSIST_KEY, "yes");
  navigator.storage?.persist?.().catch(() => {}); // the page works as well without
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
