/**
 * Every message between the page and the engine worker, in one place.
 *
 * The page sends a `Request`, the worker answers with one `Reply` of the same id and, in between, any
 * number of `EngineEvent`s. Samples travel as planar Float32Arrays, one for each channel, and are
 * transferred, never cloned.
 */

export const VERSION = 1;

/** Every error code, and whether trying again can help: the twin of `py/demixer/errors.py`. */
export const ERROR_CODES = Object.freeze({
  cancelled: true,
  "audio/unreadable": false,
  "audio/unsupported": false,
  "audio/empty": false,
  "audio/too-long": false,
  "audio/not-finite": false,
  "model/unknown": false,
  "model/network": true,
  "model/integrity": true,
  "model/incompatible": false,
  "storage/quota": false,
  "storage/unavailable": false,
  "runtime/start-failed": true,
  "runtime/device-lost": true,
  "runtime/out-of-memory": true,
  "runtime/failed": true,
  "engine/crashed": true,
  "engine/timeout": true,
  "protocol/version": false,
});

/** @typedef {keyof typeof ERROR_CODES} ErrorCode */

/**
 * @typedef {object} ErrorData
 * @property {ErrorCode} code
 * @property {string} message what happened, in English: the page shows its own text for the code first
 * @property {string | null} [hint]
 * @property {boolean} retryable
 */

/**
 * A song as decoded: planar samples at the file's own rate.
 * @typedef {object} Pcm
 * @property {number} rate in Hz
 * @property {Float32Array[]} channels all of one length
 */

/**
 * @typedef {object} EngineInfo
 * @property {"wasm" | "webgpu"} device
 * @property {string | null} adapter name of the GPU adapter
 * @property {number} threads
 * @property {boolean} isolated
 * @property {number} gflops measured matrix-product rate of the device, in 1e9 operations a second
 */

/**
 * @typedef {object} Artifact
 * @property {string} path relative to the manifest
 * @property {number} bytes
 * @property {string} sha256
 */

/**
 * One model of `models/manifest.json`, the twin of `demixer.models.Model`.
 * @typedef {object} Model
 * @property {string} id
 * @property {string} label
 * @property {string} summary
 * @property {string} family
 * @property {string[]} stems
 * @property {number} gflop_per_second
 * @property {Record<string, { overlap: number }>} presets
 * @property {{ name: string, url: string, notice: string } | null} licence
 * @property {Record<string, Artifact>} artifacts by precision
 */

/** @typedef {{ name: string, channels: Float32Array[], peaks: Float32Array }} StemChunk */

/**
 * What the page may ask, and what it gets back.
 * @typedef {object} Calls
 * @property {{ data: { device: "auto" | "wasm" | "webgpu", threads?: number, allowSoftwareAdapter?: boolean }, value: EngineInfo }} "engine.start"
 * @property {{ data: { model: Model, precision?: string }, value: { bytes: number, cached: boolean } }} "model.open"
 * @property {{ data: { pcm: Pcm, hop: number }, value: { peaks: Float32Array } }} "song.peaks"
 * @property {{ data: { job: string, pcm: Pcm, model: Model, preset: string, raw?: boolean, hop: number }, value: { seconds: number, modelSeconds: number } }} "job.run"
 * @property {{ data: { job: string }, value: null }} "job.cancel"
 */

/**
 * What the worker tells meanwhile.
 * `peaks` are [min, max] pairs of `hop` samples each, over all channels.
 * @typedef {object} Events
 * @property {{ stage: "python" | "packages" | "runtime" | "calibrate" | "ready", done: number, total: number }} "engine.progress"
 * @property {{ model: string, stage: "download" | "verify" | "create", done: number, total: number }} "model.progress"
 * @property {{ job: string, stage: "measure" | "separate", done: number, total: number }} "job.progress"
 * @property {{ job: string, start: number, length: number, stems: StemChunk[] }} "job.chunk"
 * @property {ErrorData} "engine.fatal"
 */

/** @typedef {{ v: number, id: number, type: keyof Calls, data: any }} Request */
/** @typedef {{ id: number, ok: true, value: any } | { id: number, ok: false, error: ErrorData }} Reply */
/**
 * @template {keyof Events} T
 * @typedef {{ type: T, data: Events[T] }} EngineEvent
 */
