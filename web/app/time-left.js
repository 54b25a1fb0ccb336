/** When all that was asked for will be done. */

import { estimate } from "./estimate.js";

/** @typedef {import("./state.js").PageState} PageState */

/**
 * @param {PageState} state
 * @returns {number | null} seconds; nothing where nothing waits, or too little is known
 */
export function secondsLeft({ songs, engine: { info } }) {
  let sum = 0;
  let waiting = 0;
  for (const { status, plan, progress, duration } of songs) {
    if (!plan || !["working", "waiting"].includes(status)) continue;
    waiting += 1;
    const { start, stop } = plan.region ?? { start: 0, stop: duration };
    const left =
      status === "working"
        ? progress?.view(performance.now() / 1000).secondsLeft
        : info && estimate(plan.model, plan.preset, stop - start, info);
    if (left === null || left === undefined) return null;
    sum += left;
  }
  return waiting > 0 ? sum : null;
}
