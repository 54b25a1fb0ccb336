/** Which of a model's files a device computes with. */

/** @typedef {import("../protocol.js").Model} Model */

/** What decides: the device, and whether it computes rightly in float16. @typedef {{ device: "wasm" | "webgpu", fp16: boolean }} Ability */

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
 * @returns {import("../protocol.js").Artifact[]}
 */
export function downloadOf(model, ability) {
  return model.artifacts[precisionFor(model, ability ?? { device: "wasm", fp16: false })] ?? [];
}

/** @param {Model} model @param {Ability | null} ability @returns {number} size of `downloadOf` */
export function downloadBytes(model, ability) {
  return downloadOf(model, ability).reduce((total, { bytes }) => total + bytes, 0);
}
