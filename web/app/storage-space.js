/** Room in the browser's storage: what stems need, what songs take, and whose turn it is to go. */

/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */

const SAMPLE_BYTES = 4;

/** The state that an unfinished separation goes on from, twice while one replaces the other. */
const STATE_BYTES = 64e6;

/** @param {Song} song @param {number} tracks */
const bytesOfTracks = ({ format }, tracks) =>
  format ? tracks * format.channels * format.length * SAMPLE_BYTES : 0;

/** What a separation will write. @param {Song} song @param {Model} model */
export function bytesNeeded(song, model) {
  return song.folder ? bytesOfTracks(song, model.stems.length) + STATE_BYTES : 0;
}

/** What a song and its stems take; those of a preview are not kept. @param {Song} song */
export function bytesKept(song) {
  const parts = (song.preview ? [] : song.stems).reduce((sum, stem) => sum + stem.available / stem.length, 0);
  return song.folder ? Math.round(bytesOfTracks(song, 1 + parts)) : 0;
}

/** What is left of the storage. @param {PageState} state */
export function bytesFree({ storage: { usage, quota } }) {
  return Math.max(0, quota - usage);
}

/**
 * Whether the stems of a song fit.
 * @param {PageState} state
 * @param {Song} song
 * @param {Model} model
 */
export function hasSpaceFor(state, song, model) {
  return state.storage.quota === 0 || bytesNeeded(song, model) <= bytesFree(state);
}

/**
 * Finished songs that could go to make room, the oldest first; nothing goes unless it is asked for.
 * @param {PageState} state
 * @param {Song} song that needs the room
 */
export function couldGo({ songs }, song) {
  const others = songs.filter((other) => other !== song && other.folder && other.status === "done");
  return others.sort((one, other) => one.added - other.added);
}
