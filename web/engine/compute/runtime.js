/**
 * The JavaScript half of the model runtime: devices, sessions, runs. The only file that imports onnxruntime-web.
 */

import { free } from "../../base/buffers.js";
import { DemixError, messageOf } from "../../base/errors.js";
import { siteUrl } from "../../base/site.js";

/** @typedef {typeof import("../../vendor/onnxruntime-web/ort.wasm.min.mjs")} Ort */
/** @typedef {import("../../vendor/onnxruntime-web/ort.wasm.min.mjs").InferenceSession} OrtSession */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../../base/errors.js").ErrorCode} ErrorCode */
/** @typedef {import("../protocol.js").NamedTensor} NamedTensor */

const VENDOR = siteUrl("vendor/onnxruntime-web/").href;

const OPTIONS = Object.freeze({
  /** A GPU leaves some operators to the processor, which is no news. */
  logSeverityLevel: /** @type {const} */ (3),
  /** The plan of the first run would get memory of its own in the second one, beside what the first has used. */
  enableMemPattern: false,
});

/** The runtime has no codes for this, only words. */
const OUT_OF_MEMORY =
  /out of memory|\bOOM\b|bad_alloc|failed to allocate|allocation failed|cannot enlarge memory/i;

/** The runtime on one device. Sessions are made one after another. */
export class Runtime {
  #ort;
  /** @type {Promise<never> | null} */ #lost = null;

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
    const ort =
      device.kind === "webgpu"
        ? await import("../../vendor/onnxruntime-web/ort.webgpu.min.mjs")
        : await import("../../vendor/onnxruntime-web/ort.wasm.min.mjs");
    ort.env.logLevel = "error";
    ort.env.wasm.wasmPaths = VENDOR;
    ort.env.wasm.numThreads = device.threads;
    return new Runtime(ort, device);
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} model an ONNX file, whose memory is given back
   * @returns {Promise<Session>}
   */
  async open(model) {
    const options = { ...OPTIONS, executionProviders: [this.device.kind] };
    try {
      const session = await this.#ort.InferenceSession.create(model, options);
      free([model]); // the runtime has its own copy
      if (this.device.kind === "webgpu") this.#lost ??= lossOf(await this.#ort.env.webgpu.device);
      return new Session(this.#ort, session, this.#lost);
    } catch (error) {
      throw failure(error, "model/incompatible");
    }
  }
}

/** One loaded model, which runs once at a time. */
export class Session {
  #ort;
  #session;
  #lost;
  /** @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** Runs to ask for beyond the one that is waited for: the device always has work. */
  ahead = 1;

  /** What all runs took so far. */
  seconds = 0;

  /**
   * @param {Ort} ort
   * @param {OrtSession} session
   * @param {Promise<never> | null} lost rejects when the device is gone
   */
  constructor(ort, session, lost) {
    this.#ort = ort;
    this.#session = session;
    this.#lost = lost;
  }

  /**
   * @param {NamedTensor[]} inputs
   * @returns {Promise<NamedTensor[]>} outputs, in memory of their own
   */
  run(inputs) {
    const outputs = this.#turn.then(() => this.#run(inputs));
    this.#turn = outputs.catch(() => {});
    return outputs;
  }

  /** @param {NamedTensor[]} inputs @returns {Promise<NamedTensor[]>} */
  async #run(inputs) {
    const { Tensor } = this.#ort;
    const begin = performance.now();
    const feeds = Object.fromEntries(
      inputs.map(({ name, dims, data }) => [name, new Tensor("float32", data, dims)]),
    );
    try {
      const run = this.#session.run(feeds);
      const outputs = await (this.#lost ? Promise.race([run, this.#lost]) : run);
      this.seconds += (performance.now() - begin) / 1000;
      return Object.entries(outputs).map(([name, { dims, data }]) => {
        return { name, dims, data: /** @type {Float32Array<ArrayBuffer>} */ (data) };
      });
    } catch (error) {
      throw failure(error, "runtime/failed");
    }
  }

  /** @param {NamedTensor[]} tensors that nobody needs any more */
  free(tensors) {
    free(tensors.map(({ data }) => data));
  }

  release() {
    return this.#session.release();
  }
}

/**
 * @param {GPUDevice} device
 * @returns {Promise<never>}
 */
function lossOf(device) {
  const lost = device.lost.then(({ message }) => {
    throw new DemixError("runtime/device-lost", `The GPU is gone. ${message}`);
  });
  lost.catch(() => {}); // it may happen between two runs
  return lost;
}

/**
 * @param {unknown} error
 * @param {ErrorCode} code what it means unless memory is short
 */
function failure(error, code) {
  const message = messageOf(error);
  if (!OUT_OF_MEMORY.test(message)) return DemixError.wrap(error, code);
  return new DemixError("runtime/out-of-memory", message, "Close other tabs, or choose a smaller model.");
}
