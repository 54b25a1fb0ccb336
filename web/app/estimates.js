/** Estimated times of separations on this device: from its benchmark at first, from finished runs later. */

import { recall, remember } from "../platform/preferences.js";

/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("./state.js").PageState} PageState */

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
 * Remembers the time of a finished run.
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

/**
 * Estimates the time until all planned songs are separated.
 * @param {PageState} state
 * @returns {number | null} seconds; null when nothing is planned, or too little is known
 */
export function secondsLeft({ songs, engine: { info } }) {
  const planned = songs.filter(({ status }) => status === "working" || status === "waiting");
  let sum = 0;
  for (const { status, plan, progress, duration } of planned) {
    if (!plan) continue;
    const { start, stop } = plan.region ?? { start: 0, stop: duration };
    const seconds =
      status === "working"
        ? progress?.view().secondsLeft
        : info && estimate(plan.model, plan.preset, stop - start, info);
    if (seconds === null || seconds === undefined) return null;
    sum += seconds;
  }
  return planned.length > 0 ? sum : null;
}

/** @param {Model} model @param {string} preset */
function overlapOf(model, preset) {
  return (model.presets[preset] ?? model.presets.standard).overlap;
}

/** @param {Model} model @param {EngineInfo} engine */
function key(model, engine) {
  return `rate.${model.id}.${engine.device}.${engine.workers}x${engine.threads}`;
}
