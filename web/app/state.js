/** The state of the page: one plain value that every element is drawn from. */

/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../engine/protocol.js").ErrorData} ErrorData */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("./song.js").Song} Song */

/**
 * @typedef {object} EngineState
 * @property {"asleep" | "starting" | "ready" | "failed"} phase
 * @property {number} fraction of the start
 * @property {EngineInfo | null} info
 */

/**
 * @typedef {object} PageState
 * @property {EngineState} engine
 * @property {Model[]} models
 * @property {Model | null} model the one chosen
 * @property {string} preset the quality chosen
 * @property {Song[]} songs
 * @property {string | null} selected id of the song that is shown
 * @property {number | null} exporting fraction of the files that is written, while files are written
 * @property {ErrorData | null} problem an error of the page rather than of a song
 */

/** @returns {PageState} */
export function initialState() {
  return {
    engine: { phase: "asleep", fraction: 0, info: null },
    models: [],
    model: null,
    preset: "standard",
    songs: [],
    selected: null,
    exporting: null,
    problem: null,
  };
}

/** @param {PageState} state @returns {Song | null} */
export function selectedSong(state) {
  return state.songs.find((song) => song.id === state.selected) ?? null;
}
