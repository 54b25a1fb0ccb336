/**
 * The model runtime: sessions and their runs on one device. The only file that imports onnxruntime-web.
 */

import { free } from "../../base/buffers.js";
import { DemixError } from "../../base/errors.js";
import { loaded } from "../../base/loading.js";
import { siteUrl } from "../../base/site.js";
import { pause } from "../../base/waiting.js";

/** @typedef {typeof import("../../vendor/onnxruntime-web/ort.wasm.min.mjs")} Ort */
/** @typedef {import("../../vendor/onnxruntime-web/ort.wasm.min.mjs").InferenceSession} OrtSession */
/** @typedef {import("../../base/errors.js").ErrorCode} ErrorCode */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").NamedTensor} NamedTensor */

const VENDOR = siteUrl("vendor/onnxruntime-web/").href;

const OPTIONS = Object.freeze({
  /** Errors only: a GPU leaves some operators to the processor, which the runtime warns of. */
  logSeverityLevel: /** @type {const} */ (3),
  /** With a pattern, the second run allocates memory in addition to that of the first. */
  enableMemPattern: false,
});

/** Time until a lost GPU says so, after a run that failed for it. */
const LOSS_MS = 250;

/** The runtime on one device. Sessions must be opened one after another. */
export class Runtime {
  #ort;
  #health = new Health();
  /** @type {Set<Session>} */ #sessions = new Set();

  /**
   * @param {Ort} ort
   * @param {Device} device
   */
  constructor(ort, device) {
    this.#ort = ort;
    this.device = device;
  }

  get version() {
    return String(this.#ort.env.versions.web);
  }

  /** @param {Device} device */
  static async load(device) {
    const ort = await loaded(
      device.kind === "webgpu"
        ? import("../../vendor/onnxruntime-web/ort.webgpu.min.mjs")
        : import("../../vendor/onnxruntime-web/ort.wasm.min.mjs"),
    );
    ort.env.logLevel = "error";
    ort.env.wasm.wasmPaths = VENDOR;
    ort.env.wasm.numThreads = device.threads;
    return new Runtime(ort, device);
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} model an ONNX file, whose memory is freed
   * @returns {Promise<Session>}
   */
  async open(model) {
    this.#health.check();
    const options = { ...OPTIONS, executionProviders: [provider(this.device)] };
    try {
      const session = await this.#health.during(this.#ort.InferenceSession.create(model, options));
      free([model]); // the runtime has its own copy
      if (this.device.kind === "webgpu") this.#health.follow(await this.#ort.env.webgpu.device);
      const opened = new Session(this.#ort, session, this.#health, () => this.#sessions.delete(opened));
      this.#sessions.add(opened);
      return opened;
    } catch (error) {
      throw await this.#health.explain(error, "model/incompatible");
    }
  }

  /** Releases all sessions. A device that has failed may refuse to. */
  async close() {
    await Promise.allSettled([...this.#sessions].map((session) => session.release()));
  }
}

/** The runtime's name of a device, with its options. @param {Device} device */
const provider = ({ kind, bufferCache }) =>
  bufferCache ? { name: kind, storageBufferCacheMode: bufferCache } : kind;

/** A loaded network, which runs once at a time. */
export class Session {
  #ort;
  #session;
  #health;
  /** Set when a run has failed. @type {DemixError | null} */ #failure = null;
  #onRelease;
  /** @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** Runs to request ahead of the one that is awaited, to keep the device busy. */
  ahead = 1;

  /** Seconds of all runs. */
  seconds = 0;

  /**
   * @param {Ort} ort
   * @param {OrtSession} session
   * @param {Health} health of the runtime
   * @param {() => void} onRelease
   */
  constructor(ort, session, health, onRelease) {
    this.#onRelease = onRelease;
    this.#ort = ort;
    this.#session = session;
    this.#health = health;
  }

  /**
   * @param {NamedTensor[]} inputs
   * @returns {Promise<NamedTensor[]>} outputs, in their own memory
   * @throws {DemixError} of the first run that has failed; runs that wait behind it get the same at once
   */
  run(inputs) {
    const outputs = this.#turn.then(() => this.#run(inputs));
    this.#turn = outputs.catch(() => {});
    return outputs;
  }

  /** @param {NamedTensor[]} inputs @returns {Promise<NamedTensor[]>} */
  async #run(inputs) {
    this.#check();
    const { Tensor } = this.#ort;
    const begin = performance.now();
    const feeds = Object.fromEntries(
      inputs.map(({ name, dims, data }) => [name, new Tensor("float32", data, dims)]),
    );
    try {
      const outputs = await this.#health.during(this.#session.run(feeds));
      this.seconds += (performance.now() - begin) / 1000;
      return Object.entries(outputs).map(([name, { dims, data }]) => {
        return { name, dims, data: /** @type {Float32Array<ArrayBuffer>} */ (data) };
      });
    } catch (error) {
      this.#failure = await this.#health.explain(error, "runtime/failed");
      throw this.#failure;
    }
  }

  /** @param {NamedTensor[]} tensors that are no longer used */
  free(tensors) {
    free(tensors.map(({ data }) => data));
  }

  /** A runtime that has failed is not asked for this either: it ends with its worker. */
  async release() {
    this.#onRelease();
    if (this.#health.isGood) await this.#session.release();
  }

  /** @throws {DemixError} */
  #check() {
    if (this.#failure) throw this.#failure;
    this.#health.check();
  }
}

/**
 * The state of a runtime. Once its GPU is lost or its memory is short, nothing more is asked of it: the next run may
 * block the worker for ever.
 */
class Health {
  /** @type {DemixError | null} */ #failure = null;
  /** Resolves when the GPU is lost. @type {Promise<void> | null} */
  #lost = null;
  /** @type {(reason: DemixError) => void} */ #reject = () => {};
  /** Rejects with the failure. @type {Promise<never>} */
  #failed = new Promise((_, reject) => {
    this.#reject = reject;
  });

  constructor() {
    this.#failed.catch(() => {}); // there may be no run at that moment
  }

  get isGood() {
    return this.#failure === null;
  }

  /** @throws {DemixError} the failure */
  check() {
    if (this.#failure) throw this.#failure;
  }

  /**
   * Settles with some work, or rejects with the failure when that comes first.
   * @template T
   * @param {Promise<T>} work
   * @returns {Promise<T>}
   */
  during(work) {
    return Promise.race([work, this.#failed]);
  }

  /** @param {DemixError} reason */
  #fail(reason) {
    this.#failure ??= reason;
    this.#reject(this.#failure);
  }

  /** Fails when the GPU is lost. @param {GPUDevice} device */
  follow(device) {
    this.#lost ??= device.lost.then(({ message }) =>
      this.#fail(new DemixError("runtime/device-lost", `The GPU is gone. ${message}`)),
    );
  }

  /**
   * The error for something that the runtime has thrown: a lost GPU fails its runs in many ways, just before it says so.
   * @param {unknown} thrown
   * @param {ErrorCode} code
   */
  async explain(thrown, code) {
    if (this.#lost) await Promise.race([this.#lost, pause(LOSS_MS)]);
    const reason = this.#failure ?? DemixError.wrap(thrown, code);
    if (reason.code === "runtime/out-of-memory") this.#fail(reason);
    return reason;
  }
}
