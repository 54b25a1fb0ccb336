/** Place, plan and desk of each song, kept between visits. One record a song, since each tab has its own songs. */

import { forget, recallRecord, remember } from "../platform/preferences.js";

/**
 * @typedef {object} SongPreferences
 * @property {number} [place] in the list
 * @property {{ model: string, preset: string } | null} [plan] of an unfinished separation; `model` is an id
 * @property {import("./desk.js").Desk} [desk]
 */

/** @param {string} id */
const keyOf = (id) => `song.${id}`;

/** @param {string} id @returns {SongPreferences} */
export function recallSongPreferences(id) {
  return recallRecord(keyOf(id));
}

/** @param {string} id @param {SongPreferences} changes */
export function rememberSongPreferences(id, changes) {
  remember(keyOf(id), JSON.stringify({ ...recallSongPreferences(id), ...changes }));
}

/** @param {string} id */
export function forgetSongPreferences(id) {
  forget(keyOf(id));
}
