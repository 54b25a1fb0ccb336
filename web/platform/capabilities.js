/**
 * What this browser offers to the engine.
 */

/** What there is no way around. All but WebAssembly exist only on https or localhost. */
const NEEDED = /** @type {const} */ ({
  webassembly: () => typeof WebAssembly === "object",
  workers: () => typeof Worker === "function",
  integrity: () => crypto.subtle !== undefined,
  locks: () => navigator.locks !== undefined,
});

/** @typedef {keyof typeof NEEDED} Need */

/**
 * @typedef {object} Capabilities
 * @property {Need[]} missing what the engine needs and this browser, or this address, lacks
 * @property {boolean} isolated whether there can be threads, and memory that page and engine share
 * @property {number} cores
 * @property {boolean} webgpu whether it is worth asking for a GPU
 */

/** @returns {Capabilities} */
export function capabilities() {
  const needs = /** @type {Need[]} */ (Object.keys(NEEDED));
  return {
    missing: needs.filter((need) => !NEEDED[need]()),
    isolated: globalThis.crossOriginIsolated === true,
    cores: navigator.hardwareConcurrency,
    webgpu: "gpu" in navigator,
  };
}
