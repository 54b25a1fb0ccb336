/**
 * Benchmarks the candidates of this machine, each in a worker of its own.
 */

import { WorkerClient } from "../../base/messages.js";
import { firstOf, until } from "../../base/waiting.js";
import { candidates } from "../devices/candidates.js";
import { ENGINE } from "../protocol.js";
import { spawn } from "./connection.js";

/** @typedef {import("../protocol.js").Settings} Settings */
/** @typedef {import("../protocol.js").BenchmarkResult} BenchmarkResult */

/** A candidate that has no result by then is left out. */
const BUDGET_MS = 5000;

/**
 * @param {AbortSignal} signal
 * @param {number} [budget] milliseconds
 * @returns {Promise<BenchmarkResult[]>} the fastest first
 */
export async function compareDevices(signal, budget = BUDGET_MS) {
  const over = firstOf(signal, AbortSignal.timeout(budget));
  /** @type {BenchmarkResult[]} */
  const results = [];
  for (const settings of candidates()) {
    if (over.aborted) break;
    // A device that is absent, fails or takes too long has no result.
    await benchmark(settings, over).then((result) => results.push(result), ignore);
  }
  signal.throwIfAborted();
  return results.sort((one, other) => one.seconds - other.seconds);
}

/**
 * @param {Settings} settings
 * @param {AbortSignal} signal
 * @returns {Promise<BenchmarkResult>}
 */
async function benchmark(settings, signal) {
  const client = new WorkerClient(spawn(), ENGINE);
  try {
    return await until(signal, client.call("device.benchmark", settings));
  } finally {
    client.end();
  }
}

const ignore = () => {};
