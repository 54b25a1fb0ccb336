/** The state of the page: one plain value that every element is drawn from. */

/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../platform/quality.js").SongQuality} SongQuality */
/** @typedef {import("./device-check.js").CheckState} CheckState */
/** @typedef {import("./export-controller.js").ExportState} ExportState */
/** @typedef {import("./song.js").Song} Song */

/**
 * @typedef {object} EngineState
 * @property {"asleep" | "starting" | "ready" | "failed"} phase
 * @property {number} fraction of the start
 * @property {EngineInfo | null} info
 * @property {string} choice the device that is wanted: `auto`, `webgpu`, `wasm-<threads>` or `wasm-<workers>x<threads>`
 * @property {string[]} choices
 * @property {number | null} measured devices that were measured against each other, once they were
 * @property {import("../engine/protocol.js").Fallback | null} fallback the last device that has failed
 */

/**
 * @typedef {object} OfflineState
 * @property {"impossible" | "possible" | "preparing" | "ready"} phase
 * @property {number} fraction of what is prepared
 */

/**
 * @typedef {object} StorageState what the browser keeps, in bytes
 * @property {number} shell
 * @property {number} runtime
 * @property {string[]} models ids of those that need no download
 * @property {number} usage of this page in all
 * @property {number} quota
 */

/**
 * @typedef {object} PageState
 * @property {EngineState} engine
 * @property {Model[]} models
 * @property {import("../platform/models.js").Catalogue} catalogue looks of the stems
 * @property {Model | null} model the one chosen
 * @property {string} preset the quality chosen
 * @property {Song[]} songs
 * @property {Song | null} removed the one that can still be had back
 * @property {string | null} selected id of the song that is shown
 * @property {ExportState | null} export what is measured or written, or was last
 * @property {ErrorData | null} problem an error of the page rather than of a song
 * @property {"waiting" | "queued" | "replaced" | "isolation" | null} update what a reload would bring
 * @property {OfflineState} offline
 * @property {StorageState} storage
 * @property {SongQuality[] | null} quality what the models reach, once it was asked for
 * @property {CheckState | null} check of this device, the last one
 * @property {string[]} requests URLs requested since the last song came
 * @property {boolean} analysing true while an analysis runs
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
    catalogue: {},
    model: null,
    preset: "standard",
    songs: [],
    removed: null,
    selected: null,
    export: null,
    problem: null,
    update: null,
    offline: { phase: "impossible", fraction: 0 },
    storage: { shell: 0, runtime: 0, models: [], usage: 0, quota: 0 },
    quality: null,
    check: null,
    requests: [],
    analysing: false,
  };
}

/**
 * The chosen quality, or the standard one when the chosen model does not have it.
 * @param {Pick<PageState, "model" | "preset">} state
 */
export function chosenPreset({ model, preset }) {
  return model && preset in model.presets ? preset : "standard";
}

/** @param {PageState} state @returns {Song | null} */
export function selectedSong(state) {
  return state.songs.find((song) => song.id === state.selected) ?? null;
}

/** True when nothing that a person asked for is under way. @param {PageState} state */
export function isIdle({ songs, export: exported, check, analysing }) {
  const isSettled = songs.every(({ status }) => ["ready", "done", "failed"].includes(status));
  const isExporting = exported !== null && (exported.writing !== null || exported.measured !== null);
  return isSettled && !isExporting && check?.phase !== "working" && !analysing;
}
