/** The state of the page: one plain value that every element is drawn from. */

/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../engine/protocol.js").ErrorData} ErrorData */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("./songs.js").Song} Song */

/**
 * @typedef {object} EngineState
 * @property {"asleep" | "starting" | "ready" | "failed"} phase
 * @property {number} fraction of the start
 * @property {EngineInfo | null} info
 * @property {string} choice the device that is wanted: `auto`, `webgpu` or `wasm-<threads>`
 * @property {string[]} choices
 * @property {number | null} measured devices that were measured against each other, once they were
 * @property {import("../engine/protocol.js").Fallback | null} fallback the last device that has failed
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
    engine: {
      phase: "asleep",
      fraction: 0,
      info: null,
      choice: "auto",
      choices: [],
      measured: null,
      fallback: null,
    },
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
