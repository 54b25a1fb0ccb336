/**
 * What the engine needs of the browser, with no way around it. All but WebAssembly exist only on https or
 * localhost: a page opened from a machine in the local network lacks them in any browser.
 */
const NEEDED = {
  WebAssembly: () => typeof WebAssembly === "object",
  workers: () => typeof Worker === "function",
  "Web Crypto": () => crypto.subtle !== undefined,
  "Web Locks": () => navigator.locks !== undefined,
};

/** @returns {string[]} names of what this browser, at this address, lacks */
export function missing() {
  return Object.entries(NEEDED).flatMap(([name, present]) => (present() ? [] : [name]));
}
