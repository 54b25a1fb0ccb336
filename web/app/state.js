/** The state of the page: one plain value that every element renders. */

/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../platform/models.js").SongQuality} SongQuality */
/** @typedef {import("./device-check-controller.js").CheckState} CheckState */
/** @typedef {import("./export-controller.js").ExportState} ExportState */
/** @typedef {import("./song.js").Song} Song */

/**
 * @typedef {object} EngineState
 * @property {"asleep" | "starting" | "ready" | "failed"} phase
 * @property {number} fraction of the start
 * @property {EngineInfo | null} info
 * @property {string} choice of a device: `auto`, `webgpu`, `wasm-<threads>` or `wasm-<workers>x<threads>`
 * @property {string[]} choices
 * @property {number | null} measured number of devices in the benchmark; null without one
 * @property {import("../engine/protocol.js").Fallback | null} fallback of the last device that failed
 * @property {ErrorData | null} error of a start that failed
 */

/**
 * @typedef {object} OfflineState
 * @property {"impossible" | "possible" | "preparing" | "ready"} phase
 * @property {number} fraction of the preparation
 */

/**
 * @typedef {object} StorageState bytes in the browser's storage
 * @property {number} shell
 * @property {number} runtime
 * @property {string[]} models ids of models that need no download
 * @property {number} usage of the page in total
 * @property {number} quota
 */

/**
 * @typedef {object} PageState
 * @property {EngineState} engine
 * @property {Model[]} models
 * @property {Record<string, import("./memory-limits.js").Limit | null>} limits of this device, by model
 * @property {import("../platform/models.js").Catalogue} catalogue of stems
 * @property {Model | null} model chosen
 * @property {string} preset chosen
 * @property {Song[]} songs
 * @property {{ songs: number, passedOver: number } | "link" | null} arrival what came last: files, or a link
 * @property {Song | null} removed last, which can be restored
 * @property {string | null} selected id of the song that is shown
 * @property {ExportState | null} export the current or last one
 * @property {ErrorData | null} problem of the models or the storage, rather than of the engine or a song
 * @property {"waiting" | "queued" | "replaced" | "isolation" | null} update that a reload would bring
 * @property {OfflineState} offline
 * @property {StorageState} storage
 * @property {SongQuality[] | null} quality of the models; null until it is loaded
 * @property {CheckState | null} check of this device, the last one
 * @property {string[]} requests URLs requested since the last song came
 * @property {boolean} analysing true while an analysis runs
 */

const UNSETTLED = new Set(["decoding", "waiting", "working"]);

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
      error: null,
    },
    models: [],
    limits: {},
    catalogue: {},
    model: null,
    preset: "standard",
    songs: [],
    removed: null,
    arrival: null,
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

/** The error that the page shows above all songs. @param {PageState} state */
export function pageError({ problem, engine }) {
  return engine.error ?? problem;
}

/** True while a file is being written. @param {PageState} state */
export function isWriting(state) {
  return Boolean(state.export?.writing);
}

/** True while there is work that a reload would lose. @param {PageState} state */
export function isAtWork(state) {
  return isWriting(state) || state.songs.some(({ status }) => UNSETTLED.has(status));
}

/** True while nothing competes for the processor and the GPU. @param {PageState} state */
export function isIdle(state) {
  const isMeasuring = state.export !== null && state.export.measured !== null;
  return !isAtWork(state) && !isMeasuring && state.check?.phase !== "working" && !state.analysing;
}
