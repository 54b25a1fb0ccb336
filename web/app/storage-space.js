/** Space in the browser's storage: needs of a separation, sizes of songs, and songs to remove. */

/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */

const SAMPLE_BYTES = 4;

/** Resume point of an unfinished separation, twice while one replaces the other. */
const RESUME_BYTES = 64e6;

/** @param {Song} song @param {number} tracks */
const bytesOfTracks = ({ format }, tracks) =>
  format ? tracks * format.channels * format.length * SAMPLE_BYTES : 0;

/** Bytes that a separation will write. @param {Song} song @param {Model} model */
export function bytesNeeded(song, model) {
  return song.folder ? bytesOfTracks(song, model.stems.length) + RESUME_BYTES : 0;
}

/** Bytes of a song and its stems; those of a preview lie in memory. @param {Song} song */
export function bytesKept(song) {
  const parts = (song.preview ? [] : song.stems).reduce((sum, stem) => sum + stem.available / stem.length, 0);
  return song.folder ? Math.round(bytesOfTracks(song, 1 + parts)) : 0;
}

/** Bytes left in the storage. @param {PageState} state */
export function bytesFree({ storage: { usage, quota } }) {
  return Math.max(0, quota - usage);
}

/**
 * True when the storage has space for the stems of a song.
 * @param {PageState} state
 * @param {Song} song
 * @param {Model} model
 */
export function hasSpaceFor(state, song, model) {
  return state.storage.quota === 0 || bytesNeeded(song, model) <= bytesFree(state);
}

/**
 * Finished songs that could be removed to make space, the oldest first. The user decides.
 * @param {PageState} state
 * @param {Song} song that needs the space
 */
export function removableSongs({ songs }, song) {
  const others = songs.filter((other) => other.id !== song.id && other.folder && other.status === "done");
  return others.sort((one, other) => one.added - other.added);
}
