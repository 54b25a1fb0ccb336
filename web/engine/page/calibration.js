/**
 * Measures the devices of this machine against each other, each in a worker of its own that is then thrown away.
 */

import { DemixError } from "../../base/errors.js";
import { Caller } from "../../base/messages.js";
import { until } from "../../base/waiting.js";
import { ENGINE } from "../protocol.js";

/** @typedef {import("../protocol.js").Settings} Settings */
/** @typedef {import("../protocol.js").BenchmarkResult} BenchmarkResult */

/** What is not measured by then is not worth waiting for. */
const BUDGET_MS = 5000;

const MOST_THREADS = 16;

/** Fewer for each worker are not worth a worker's memory, where threads can be had. */
const FEWEST_THREADS = 2;

/** Of the machine's memory, for each worker: the largest model takes more than one, and there is more than this page. */
const MEMORY_GB = 4;

/**
 * @param {AbortSignal} signal
 * @param {number} [budget] milliseconds
 * @returns {Promise<BenchmarkResult[]>} the fastest first
 */
export async function calibrate(signal, budget = BUDGET_MS) {
  const over = AbortSignal.any([signal, AbortSignal.timeout(budget)]);
  /** @type {BenchmarkResult[]} */
  const trials = [];
  for (const settings of contenders()) {
    if (over.aborted) break;
    // A device that is not there, or fails, or takes too long, is no contender.
    await measure(settings, over).then((trial) => trials.push(trial), ignore);
  }
  signal.throwIfAborted();
  return trials.sort((one, other) => one.seconds - other.seconds);
}

/** The GPU; all threads, together and shared out; and the powers of two below; the most likely first. @returns {Settings[]} */
export function contenders() {
  const cores = Math.min(navigator.hardwareConcurrency, MOST_THREADS);
  const isolated = self.crossOriginIsolated;
  /** @type {Settings[]} */
  const shared = [];
  for (let workers = 2; workers <= mostWorkers(); workers *= 2) {
    const threads = Math.floor(cores / workers);
    if (threads >= (isolated ? FEWEST_THREADS : 1))
      shared.push({ device: "wasm", workers, threads: isolated ? threads : 1 });
  }
  const most = isolated ? cores : 1;
  const counts = [most];
  for (let threads = 2 ** Math.ceil(Math.log2(most) - 1); threads >= 1; threads /= 2) counts.push(threads);
  const [all, ...fewer] = counts.map((threads) => ({ device: /** @type {const} */ ("wasm"), threads }));
  return [{ device: "webgpu" }, all, ...shared, ...fewer];
}

/** Each holds the model and a segment's worth of results: only on machines with plenty of memory, if the browser tells. */
function mostWorkers() {
  const { deviceMemory = 0 } = /** @type {{ deviceMemory?: number }} */ (navigator);
  return Math.max(1, Math.floor(deviceMemory / MEMORY_GB));
}

/**
 * @param {Settings} settings
 * @param {AbortSignal} signal
 * @returns {Promise<BenchmarkResult>}
 */
async function measure(settings, signal) {
  const name = `trial-${crypto.randomUUID()}`;
  const worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module", name });
  const caller = new Caller(worker, ENGINE);
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    caller.fail(new DemixError("engine/crashed", event.message));
  });
  try {
    return await until(signal, caller.call("device.measure", settings));
  } finally {
    worker.terminate();
  }
}

const ignore = () => {};
