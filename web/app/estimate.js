/** How long a separation takes on this device: from the measured speed at first, from real runs later. */

import { recall, remember } from "../platform/preferences.js";

/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */

/**
 * @param {Model} model
 * @param {string} preset
 * @param {number} duration of the song in seconds
 * @param {EngineInfo} engine
 * @returns {number} seconds
 */
export function estimate(model, preset, duration, engine) {
  const remembered = Number(recall(key(model, engine)));
  const secondsPerSecond =
    remembered > 0 ? remembered : model.gflop_per_second / (engine.gflops * engine.workers);
  return (duration * secondsPerSecond) / (1 - overlapOf(model, preset));
}

/**
 * Remembers what a run really took.
 * @param {Model} model
 * @param {string} preset
 * @param {number} duration of the song in seconds
 * @param {EngineInfo} engine
 * @param {number} seconds of the run
 */
export function learn(model, preset, duration, engine, seconds) {
  const secondsPerSecond = (seconds / duration) * (1 - overlapOf(model, preset));
  remember(key(model, engine), String(secondsPerSecond));
}

/** @param {Model} model @param {string} preset */
function overlapOf(model, preset) {
  return (model.presets[preset] ?? model.presets.standard).overlap;
}

/** @param {Model} model @param {EngineInfo} engine */
function key(model, engine) {
  return `rate.${model.id}.${engine.device}.${engine.workers}x${engine.threads}`;
}
