/** Features of the browser that the engine needs; all but WebAssembly and workers require https or localhost. */

const NEEDED = {
  WebAssembly: () => typeof WebAssembly === "object",
  workers: () => typeof Worker === "function",
  "Web Crypto": () => globalThis.crypto?.subtle !== undefined,
  "Web Locks": () => navigator.locks !== undefined,
};

/** @returns {string[]} names of the features that are missing here */
export function missing() {
  return Object.entries(NEEDED).flatMap(([name, present]) => (present() ? [] : [name]));
}
