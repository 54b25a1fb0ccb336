/** The settings of a song's mixing desk, kept between visits. */

import { neutralStrip } from "../playback/page/gains.js";

/** @typedef {import("../playback/page/gains.js").Strip} Strip */

/** @typedef {{ start: number, stop: number }} Span in seconds */

/**
 * @typedef {object} Desk
 * @property {Record<string, Strip>} strips by stem
 * @property {number} master in dB
 * @property {boolean} original true to play the song itself instead of the stems
 * @property {number} position in seconds, where playback resumes
 * @property {Span | null} region that is selected
 * @property {boolean} looping true when the region, or the song without one, is repeated
 * @property {Span | null} view visible part; null for the whole song
 * @property {"wave" | "spectrogram"} picture
 */

/**
 * A desk for these stems, which keeps its settings from before.
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
