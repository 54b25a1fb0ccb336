/**
 * Chooses the device after one that has failed.
 */

import { DemixError } from "../../base/errors.js";

/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").Settings} Settings */

/** True when another device, or the same one in a new worker, may succeed: never after a defect of the program. @param {unknown} reason @returns {reason is DemixError} */
export function isFault(reason) {
  if (!(reason instanceof DemixError)) return false;
  const { code } = reason;
  return code.startsWith("runtime/") || code === "engine/crashed" || code === "engine/timeout";
}

/**
 * The settings that avoid a device that has failed: after the GPU the processor, after several workers one, after many
 * threads one. After that, or when no device had been chosen, the same settings in a new worker.
 * @param {Settings} settings
 * @param {Device | null} failed
 * @returns {Settings}
 */
export function avoid(settings, failed) {
  const gpu = failed ? failed.kind === "webgpu" : settings.device === "webgpu";
  if (gpu) return { ...settings, device: "wasm" };
  if (failed && failed.workers > 1) return { ...settings, device: "wasm", workers: 1 };
  if (failed) return { ...settings, device: "wasm", workers: 1, threads: 1 };
  return { ...settings };
}
