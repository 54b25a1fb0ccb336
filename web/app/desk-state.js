/** What the desk of a song is set to; each song has its own, and keeps it from visit to visit. */

import { neutralStrip } from "../playback/page/gains.js";

/** @typedef {import("../playback/page/gains.js").Strip} Strip */

/** @typedef {{ start: number, stop: number }} Span in seconds */

/**
 * @typedef {object} Desk
 * @property {Record<string, Strip>} strips by stem
 * @property {number} master in dB
 * @property {boolean} original whether the song itself is heard instead of the stems
 * @property {number} position in seconds, where playing goes on
 * @property {Span | null} region what is selected
 * @property {boolean} looping whether the region, or the song without one, is repeated
 * @property {Span | null} view what of the song is seen; all of it by default
 * @property {"wave" | "spectrogram"} picture
 */

/**
 * A desk for these stems; what there was before stays as it is set.
 * @param {string[]} stems
 * @param {Desk | null} [before]
 * @returns {Desk}
 */
export function deskFor(stems, before = null) {
  const strips = stems.map((stem) => [stem, before?.strips[stem] ?? neutralStrip()]);
  return {
    master: 0,
    position: 0,
    region: null,
    looping: false,
    view: null,
    picture: "wave",
    ...before,
    strips: Object.fromEntries(strips),
    original: false,
  };
}
