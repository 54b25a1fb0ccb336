/**
 * What the page remembers of each song from visit to visit beside its samples: where in the list it stands, what it
 * waits for, and its desk. One record a song: a tab with other songs has its own.
 */

import { forget, recall, remember } from "../platform/memory.js";

/**
 * @typedef {object} SongMemory
 * @property {number} [place] in the list
 * @property {{ model: string, preset: string } | null} [plan] of a separation that is not finished, by the model's id
 * @property {import("./desk-state.js").Desk} [desk]
 */

/** @param {string} id */
const keyOf = (id) => `song.${id}`;

/** @param {string} id @returns {SongMemory} */
export function recallSong(id) {
  return JSON.parse(recall(keyOf(id)) ?? "{}");
}

/** @param {string} id @param {SongMemory} changes */
export function rememberSong(id, changes) {
  remember(keyOf(id), JSON.stringify({ ...recallSong(id), ...changes }));
}

/** @param {string} id */
export function forgetSong(id) {
  forget(keyOf(id));
}
