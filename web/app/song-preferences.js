/**
 * What the page remembers of each song from visit to visit beside its samples: where in the list it stands, what it
 * waits for, and its desk. One record a song: a tab with other songs has its own.
 */

import { forget, recall, remember } from "../platform/preferences.js";

/**
 * @typedef {object} SongPreferences
 * @property {number} [place] in the list
 * @property {{ model: string, preset: string } | null} [plan] of a separation that is not finished, by the model's id
 * @property {import("./desk-state.js").Desk} [desk]
 */

/** @param {string} id */
const keyOf = (id) => `song.${id}`;

/** @param {string} id @returns {SongPreferences} */
export function recallSongPreferences(id) {
  return JSON.parse(recall(keyOf(id)) ?? "{}");
}

/** @param {string} id @param {SongPreferences} changes */
export function rememberSongPreferences(id, changes) {
  remember(keyOf(id), JSON.stringify({ ...recallSongPreferences(id), ...changes }));
}

/** @param {string} id */
export function forgetSongPreferences(id) {
  forget(keyOf(id));
}
