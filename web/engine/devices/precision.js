/** Chooses the precision in which a device computes a model. */

/** @typedef {import("../protocol.js").Artifact} Artifact */
/** @typedef {import("../protocol.js").Model} Model */

/**
 * The part of a device that decides the precision; `fp16` is true when it computes correctly in float16.
 * @typedef {{ device: "wasm" | "webgpu", fp16: boolean }} Ability
 */

/**
 * @param {Model} model
 * @param {"wasm" | "webgpu"} device
 * @returns {string[]} the best first
 */
export function precisionsFor({ artifacts, gpu = [] }, device) {
  return [...(device === "webgpu" ? gpu : []), "default"].filter((precision) => precision in artifacts);
}

/**
 * @param {Model} model
 * @param {Ability} ability
 * @returns {string}
 */
export function precisionFor(model, { device, fp16 }) {
  return precisionsFor(model, device).find((precision) => fp16 || precision !== "fp16") ?? "default";
}

/**
 * The files of a model for a device; for the processor while no device is known.
 * @param {Model} model
 * @param {Ability | null} ability
 * @returns {Artifact[]}
 */
export function downloadOf(model, ability) {
  return model.artifacts[precisionFor(model, ability ?? { device: "wasm", fp16: false })] ?? [];
}

/** @param {Model} model @param {Ability | null} ability @returns {number} size of `downloadOf` */
export function downloadBytes(model, ability) {
  return downloadOf(model, ability).reduce((total, { bytes }) => total + bytes, 0);
}
