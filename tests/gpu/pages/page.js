/** The page's side of `kit.py`: the adapter, and single graphs in workers of their own. */

import { findAdapter } from "/src/engine/devices/candidates.js";

/** @type {Map<string, Worker>} */
const workers = new Map();

/** What WebGPU offers, and what the engine makes of it. */
export async function adapter() {
  const found = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const info = found && { vendor: found.info.vendor, architecture: found.info.architecture, description: found.info.description };
  return { info: info ?? null, features: [...(found?.features ?? [])].sort(), engine: await findAdapter(), cores: navigator.hardwareConcurrency };
}

/** Asks a worker of that name, which starts when first asked. */
export function ask(name, message) {
  const worker = workers.get(name) ?? new Worker("/gpu/graph-worker.js", { type: "module", name });
  workers.set(name, worker);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.value));
    worker.onerror = ({ message: reason }) => reject(new Error(reason));
    worker.postMessage(message);
  });
}

/** Runs graphs of several workers at the same time. @returns {Promise<number>} seconds for all */
export async function together(names, times) {
  const begin = performance.now();
  await Promise.all(names.map((name) => ask(name, { run: times })));
  return (performance.now() - begin) / 1000;
}

/** Ends all workers, which frees their memory. */
export function end() {
  for (const worker of workers.values()) worker.terminate();
  workers.clear();
}
