/** What the desk of a song is set to; each song has its own, and keeps it from visit to visit. */

import { neutralStrip } from "../media/mix.js";
import { recall, remember } from "../platform/memory.js";

/** @typedef {import("../media/mix.js").Strip} Strip */
/** @typedef {import("./song.js").Song} Song */

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

/** By the ids of the songs. */
const DESKS_KEY = "desks";

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

/** The desk that a song of an earlier visit was left with. @param {string} id @returns {Desk | null} */
export function recallDesk(id) {
  return JSON.parse(recall(DESKS_KEY) ?? "{}")[id] ?? null;
}

/** Those of songs that the browser keeps. @param {Song[]} songs */
export function rememberDesks(songs) {
  const kept = songs.filter(({ folder }) => folder !== null);
  remember(DESKS_KEY, JSON.stringify(Object.fromEntries(kept.map(({ id, desk }) => [id, desk]))));
}
