/** Arithmetic on the span of a song that is on screen. All times are in seconds. */

/** @typedef {import("../app/desk.js").Span} Span */

/** The closest zoom. */
const SHORTEST_SECONDS = 0.5;

/** Factor of one step of the zoom. */
export const ZOOM_STEP = 2;

/** @param {Span | null} view @param {number} duration @returns {Span} the view, by default the whole song */
export function visibleSpan(view, duration) {
  return view ?? { start: 0, stop: duration };
}

/**
 * Zooms in or out.
 * @param {Span} view
 * @param {number} factor above 1 to zoom in
 * @param {number} at the time that keeps its place on screen
 * @param {number} duration
 * @returns {Span | null} null for the whole song
 */
export function zoomed({ start, stop }, factor, at, duration) {
  const length = Math.max(Math.min(SHORTEST_SECONDS, duration), (stop - start) / factor);
  if (length >= duration) return null;
  const place = placeIn({ start, stop }, at);
  return scrolled({ start: at - place * length, stop: at + (1 - place) * length }, 0, duration);
}

/**
 * Scrolls by some seconds, within the song.
 * @param {Span} view
 * @param {number} seconds
 * @param {number} duration
 * @returns {Span}
 */
export function scrolled({ start, stop }, seconds, duration) {
  const length = stop - start;
  const first = Math.min(duration - length, Math.max(0, start + seconds));
  return { start: first, stop: first + length };
}

/**
 * @param {Span} view
 * @param {number} seconds
 * @returns {number} the place of a time in the view: 0 at its start, 1 at its end
 */
export function placeIn({ start, stop }, seconds) {
  return stop > start ? (seconds - start) / (stop - start) : 0;
}
