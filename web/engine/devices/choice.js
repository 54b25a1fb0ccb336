/**
 * Chooses the device: the requested one, else the fastest of the last benchmark that has not failed here.
 */

import { DemixError } from "../../base/errors.js";
import { findAdapter, usableCores } from "./candidates.js";

/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").Settings} Settings */

/** Above this, threads usually wait for each other more than they work. */
const MOST_THREADS = 8;

/**
 * The devices to try, best first.
 * @param {Settings} settings
 * @returns {Promise<Device[]>}
 */
export async function choose({ device, workers, threads, bufferCache, allowSoftwareAdapter, memory }) {
  const adapter = device === "wasm" ? null : await findAdapter(allowSoftwareAdapter);
  if (device === "webgpu" && !adapter) {
    throw new DemixError("runtime/start-failed", "There is no GPU that this browser can use.");
  }
  const hasFailed = adapter && memory?.selfTests[adapter.name]?.passed === false;
  const usable = adapter && !hasFailed ? adapter.name : null;
  const benchmark = memory?.benchmark;
  const results = benchmark && (device === "wasm" || benchmark.gpu === usable) ? benchmark.results : [];
  const fastest = results.find((result) => result.device === "wasm");

  /** @type {Device} */
  const processor = {
    kind: "wasm",
    adapter: null,
    workers: workers ?? (threads ? 1 : (fastest?.workers ?? 1)),
    threads: Math.min(usableCores(), threads ?? fastest?.threads ?? MOST_THREADS),
    half: false,
  };
  if (!adapter) return [processor];
  /** @type {Device} */
  const gpu = {
    kind: "webgpu",
    adapter: adapter.name,
    workers: 1,
    threads: Math.min(usableCores(), MOST_THREADS),
    half: adapter.half,
    ...(bufferCache && { bufferCache }),
  };
  if (device === "webgpu") return [gpu];
  return usable && results[0]?.device !== "wasm" ? [gpu, processor] : [processor];
}
