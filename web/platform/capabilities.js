/** Features of the browser that the engine cannot do without; all but WebAssembly and workers need https or localhost. */

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
