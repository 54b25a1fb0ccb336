/**
 * Which device computes: what was asked for, else what was measured to be the fastest and has not failed here.
 */

import { DemixError } from "../../base/errors.js";
import { findAdapter } from "./candidates.js";

/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").Settings} Settings */

/** Above this, threads usually wait for each other more than they work. */
const MOST_THREADS = 8;

/**
 * The devices to try, best first.
 * @param {Settings} settings
 * @returns {Promise<Device[]>}
 */
export async function choose({ device, workers, threads, allowSoftwareAdapter, known }) {
  const adapter = device === "wasm" ? null : await findAdapter(allowSoftwareAdapter);
  if (device === "webgpu" && !adapter) {
    throw new DemixError("runtime/start-failed", "There is no GPU that this browser can use.");
  }
  const trusted = adapter && known?.verdicts[adapter.name]?.right !== false;
  const usable = trusted ? adapter.name : null;
  const measured = known?.measured;
  const trials = measured && (device === "wasm" || measured.gpu === usable) ? measured.trials : [];
  const fastest = trials.find((trial) => trial.device === "wasm");

  /** @type {Device} */
  const processor = {
    kind: "wasm",
    adapter: null,
    workers: workers ?? (threads ? 1 : (fastest?.workers ?? 1)),
    threads: within(threads ?? fastest?.threads ?? MOST_THREADS),
    half: false,
  };
  if (!adapter) return [processor];
  /** @type {Device} */
  const gpu = {
    kind: "webgpu",
    adapter: adapter.name,
    workers: 1,
    threads: within(MOST_THREADS),
    half: adapter.half,
  };
  if (device === "webgpu") return [gpu];
  return trusted && trials[0]?.device !== "wasm" ? [gpu, processor] : [processor];
}

/** Threads share memory, which only isolated pages may. @param {number} threads */
const within = (threads) => (self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, threads) : 1);
