/** Which part of a song is seen: arithmetic on spans of time, in seconds. */

/** @typedef {import("../app/desk-state.js").Span} Span */

/** Nobody looks closer than this. */
const SHORTEST_SECONDS = 0.5;

/** How much closer one step goes. */
export const ZOOM_STEP = 2;

/** @param {Span | null} view @param {number} duration @returns {Span} */
export function seen(view, duration) {
  return view ?? { start: 0, stop: duration };
}

/**
 * Looks closer or from farther away.
 * @param {Span} view
 * @param {number} factor more than 1 is closer
 * @param {number} at the time that keeps its place
 * @param {number} duration
 * @returns {Span | null} nothing where the whole song is seen
 */
export function zoomed({ start, stop }, factor, at, duration) {
  const length = Math.max(Math.min(SHORTEST_SECONDS, duration), (stop - start) / factor);
  if (length >= duration) return null;
  const part = (at - start) / (stop - start);
  return moved({ start: at - part * length, stop: at + (1 - part) * length }, 0, duration);
}

/** @param {Span} view @param {number} seconds @param {number} duration @returns {Span} */
export function moved({ start, stop }, seconds, duration) {
  const length = stop - start;
  const from = Math.min(duration - length, Math.max(0, start + seconds));
  return { start: from, stop: from + length };
}

/** Where a time lies, as a fraction of the view. @param {Span} view @param {number} seconds */
export function placeIn({ start, stop }, seconds) {
  return stop > start ? (seconds - start) / (stop - start) : 0;
}
