/**
 * All messages between the page and an engine worker, and between that and its compute workers.
 *
 * Messages carry no samples: songs and stems are in the browser's storage, in pieces that both sides read
 * (`library/pieces.js`).
 */

import { ERROR_CODES } from "../base/errors.js";
import {
  count,
  finite,
  flag,
  index,
  instance,
  listOf,
  mapOf,
  nullable,
  object,
  oneOf,
  optional,
  positive,
  text,
} from "../base/shapes.js";
import { storedAudio, storedPiece } from "../library/pieces.js";

/** @typedef {import("../base/errors.js").ErrorCode} ErrorCode */
/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../base/messages.js").Contract} Contract */
/** @typedef {import("../library/job-output.js").StemChunk} StemChunk */
/** @typedef {import("../library/measurement.js").Normalisation} Normalisation */
/** @typedef {import("../library/model-store.js").Artifact} Artifact */
/** @typedef {import("../library/model-store.js").Model} Model */
/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */

/**
 * @typedef {object} Device
 * @property {"wasm" | "webgpu"} kind
 * @property {string | null} adapter name of the GPU adapter
 * @property {number} workers that compute segments side by side
 * @property {number} threads of each
 * @property {boolean} half true when it can compute in float16 at all
 * @property {BufferCache} [bufferCache] of a GPU; by default the runtime's own choice
 */

/** How the runtime keeps the GPU's buffers for later runs. @typedef {"lazyRelease" | "simple" | "bucket"} BufferCache */

/** Threads need an isolated page and shared memory. @typedef {"isolated" | "not-isolated" | "no-shared-memory"} Isolation */

/**
 * @typedef {object} EngineInfo
 * @property {"wasm" | "webgpu"} device
 * @property {string | null} adapter name of the GPU adapter
 * @property {number} workers that compute segments side by side
 * @property {number} threads of each
 * @property {Isolation} isolation
 * @property {boolean} fp16 true when it computes correctly in float16 too
 * @property {number} gflops measured matrix-product rate of one worker, in 1e9 operations a second
 * @property {string} runtime version of the model runtime
 */

/**
 * Tests of this machine's devices at earlier times.
 * @typedef {object} DeviceMemory
 * @property {Record<string, SelfTestResult>} selfTests by name of the GPU's adapter, or `wasm`
 * @property {Benchmark | null} benchmark
 */

/** @typedef {{ passed: true, fp16: boolean } | { passed: false, code: ErrorCode }} SelfTestResult */

/**
 * A comparison of all candidates.
 * @typedef {object} Benchmark
 * @property {string | null} gpu name of the adapter that was usable then
 * @property {number} cores
 * @property {string} runtime version of the model runtime
 * @property {BenchmarkResult[]} results the fastest first
 */

/**
 * @typedef {object} BenchmarkResult
 * @property {"wasm" | "webgpu"} device
 * @property {string | null} adapter
 * @property {number} workers
 * @property {number} threads of each
 * @property {number} seconds for each run of the layers, several of which may have run side by side
 */

/**
 * @typedef {object} Settings
 * @property {"auto" | "wasm" | "webgpu"} device
 * @property {number} [workers] by default one, or the fastest number of the benchmark
 * @property {number} [threads] of each; by default as many as there are cores, within reason
 * @property {BufferCache} [bufferCache] of a GPU
 * @property {boolean} [allowSoftwareAdapter] accept an emulated GPU: correct, and far too slow for real work
 * @property {DeviceMemory} [memory] on which `auto` is based
 */

/**
 * A job. Requested again with the same folder, it resumes after its last finished segment.
 * @typedef {object} JobRequest
 * @property {string} job its name in events
 * @property {StoredAudio} song
 * @property {string | null} folder of the stems in the storage; null keeps them in memory
 * @property {Model} model
 * @property {string} preset
 * @property {string} [precision] by default that of the device
 * @property {boolean} [raw] true for the model's own output, whose stems need not sum to the mixture
 * @property {Normalisation | null} [normalisation] measured when absent
 * @property {number} hop samples to a pair of peaks
 */

/** @typedef {{ seconds: number, modelSeconds: number, segments: number }} JobReport this run alone */

/**
 * An analysis of a song or stem.
 * @typedef {object} AnalysisRequest
 * @property {string} name as `demixer.analyses` knows it
 * @property {StoredAudio} source
 * @property {object} options the analysis's own
 */

/**
 * Options of the analysis `spectrogram`, the twin of `demixer.analyses.spectrogram.Window`.
 * @typedef {object} SpectrogramOptions
 * @property {number} start first sample
 * @property {number} stop
 * @property {number} columns of equal time
 * @property {number} rows of equal interval, the lowest first
 * @property {number} low in Hz
 * @property {number} high in Hz
 */

/** @typedef {{ pixels: Uint8Array<ArrayBuffer> }} Spectrogram by column and row, from 0 for -96 dB to 255 for 0 dB */

/**
 * Requests of the page. One `model.open` or `job.run` is worked on at a time, in the order they came; `job.run` opens
 * its model by itself. `analysis.run` and `device.benchmark` go to workers of their own.
 * @typedef {{
 *   "engine.start": { data: Settings, value: EngineInfo },
 *   "device.benchmark": { data: Settings, value: BenchmarkResult },
 *   "model.open": { data: { model: Model, precision?: string }, value: { bytes: number, cached: boolean } },
 *   "analysis.run": { data: AnalysisRequest, value: any },
 *   "job.run": { data: JobRequest, value: JobReport },
 * }} Calls
 */

/** @typedef {{ done: number, total: number }} Mark how much of a stage is done */

/**
 * The device after one that has failed: without numbers of workers and threads, the defaults.
 * @typedef {{ kind: Device["kind"], workers?: number, threads?: number }} NextDevice
 */

/**
 * A device has failed, and another one takes its place. `from` is null when the fault came before any device, and `to`
 * when the same is tried again.
 * @typedef {{ from: Device | null, to: NextDevice | null, error: ErrorData }} Fallback
 */

/**
 * Events of an engine worker. The stages of a start overlap, so their marks are those of the whole start.
 * `model.unkept` carries the reason why a model must be downloaded again at the next visit; `requests` lists the
 * network requests of the worker and of those below it.
 * @typedef {{
 *   "engine.progress": { stage: "python" | "packages" | "runtime" | "benchmark" | "ready" } & Mark,
 *   "engine.device": Device,
 *   "engine.fallback": Fallback,
 *   "engine.fatal": ErrorData,
 *   "model.progress": { model: string, stage: "download" | "verify" | "create" } & Mark,
 *   "model.unkept": ErrorData,
 *   "job.progress": { job: string, stage: "measure" | "separate" } & Mark,
 *   "job.chunk": { job: string, start: number, length: number, stems: StemChunk[] },
 *   requests: { urls: string[] },
 * }} Events
 */

/** @typedef {{ name: string, dims: readonly number[], data: Float32Array<ArrayBuffer> }} NamedTensor */

/**
 * Requests to a compute worker; `seconds` are those of all runs of the session.
 * @typedef {{
 *   "runtime.load": { data: Device, value: { version: string } },
 *   "session.open": { data: { session: number, model: Uint8Array<ArrayBuffer> }, value: null },
 *   "session.run": {
 *     data: { session: number, inputs: NamedTensor[] },
 *     value: { outputs: NamedTensor[], seconds: number },
 *   },
 *   "session.release": { data: { session: number }, value: null },
 * }} ComputeCalls
 */

/** @typedef {{ requests: { urls: string[] } }} ComputeEvents */

const artifact = object({ path: text, bytes: count, sha256: text });
const model = object({
  id: text,
  artifacts: mapOf(listOf(artifact)),
  segment: positive,
  gpu: optional(listOf(text)),
});
const result = object({ device: oneOf("wasm", "webgpu"), workers: optional(count), threads: count });
const bufferCache = optional(oneOf("lazyRelease", "simple", "bucket"));
const settings = object({
  device: oneOf("auto", "wasm", "webgpu"),
  workers: optional(count),
  threads: optional(count),
  bufferCache,
  memory: optional(
    object({
      selfTests: mapOf(object({ passed: flag })),
      benchmark: nullable(object({ results: listOf(result) })),
    }),
  ),
});
const kind = oneOf("wasm", "webgpu");
const device = object({
  kind,
  adapter: nullable(text),
  workers: count,
  threads: count,
  half: flag,
  bufferCache,
});
const error = object({ code: oneOf(...Object.keys(ERROR_CODES)), message: text, retryable: flag });
const mark = { done: index, total: count };
const chunk = object({ name: text, pieces: listOf(storedPiece), peaks: instance(Float32Array) });
const requests = object({ urls: listOf(text) });
const tensor = object({ name: text, dims: listOf(index), data: instance(Float32Array) });

/** Between the page and an engine worker. @type {Contract} */
export const ENGINE = Object.freeze({
  version: 2,
  requests: {
    "engine.start": settings,
    "device.benchmark": settings,
    "model.open": object({ model, precision: optional(text) }),
    "analysis.run": object({ name: text, source: storedAudio, options: object({}) }),
    "job.run": object({
      job: text,
      song: storedAudio,
      folder: nullable(text),
      model,
      preset: text,
      precision: optional(text),
      raw: optional(flag),
      normalisation: optional(nullable(object({ offset: finite, scale: finite }))),
      hop: count,
    }),
  },
  events: {
    "engine.progress": object({
      stage: oneOf("python", "packages", "runtime", "benchmark", "ready"),
      ...mark,
    }),
    "engine.device": device,
    "engine.fallback": object({ from: nullable(device), to: nullable(object({ kind })), error }),
    "engine.fatal": error,
    "model.progress": object({ model: text, stage: oneOf("download", "verify", "create"), ...mark }),
    "model.unkept": error,
    "job.progress": object({ job: text, stage: oneOf("measure", "separate"), ...mark }),
    "job.chunk": object({ job: text, start: index, length: index, stems: listOf(chunk) }),
    requests,
  },
});

/** Between the engine worker and a compute worker. @type {Contract} */
export const COMPUTE = Object.freeze({
  version: 1,
  requests: {
    "runtime.load": object({ kind: oneOf("wasm"), threads: count }),
    "session.open": object({ session: count, model: instance(Uint8Array) }),
    "session.run": object({ session: count, inputs: listOf(tensor) }),
    "session.release": object({ session: count }),
  },
  events: { requests },
});
