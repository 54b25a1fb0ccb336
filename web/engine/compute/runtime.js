/**
 * The model runtime: sessions and their runs on one device. The only file that imports onnxruntime-web.
 */

import { free } from "../../base/buffers.js";
import { DemixError } from "../../base/errors.js";
import { loaded } from "../../base/loading.js";
import { siteUrl } from "../../base/site.js";

/** @typedef {typeof import("../../vendor/onnxruntime-web/ort.wasm.min.mjs")} Ort */
/** @typedef {import("../../vendor/onnxruntime-web/ort.wasm.min.mjs").InferenceSession} OrtSession */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").NamedTensor} NamedTensor */

const VENDOR = siteUrl("vendor/onnxruntime-web/").href;

const OPTIONS = Object.freeze({
  /** Errors only: a GPU leaves some operators to the processor, which the runtime warns of. */
  logSeverityLevel: /** @type {const} */ (3),
  /** With a pattern, the second run allocates memory in addition to that of the first. */
  enableMemPattern: false,
});

/** The runtime on one device. Sessions must be opened one after another. */
export class Runtime {
  #ort;
  /** Rejects when the GPU is lost. @type {Promise<never> | null} */
  #lost = null;
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
    const options = { ...OPTIONS, executionProviders: [this.device.kind] };
    try {
      const session = await this.#ort.InferenceSession.create(model, options);
      free([model]); // the runtime has its own copy
      if (this.device.kind === "webgpu") this.#lost ??= lossOf(await this.#ort.env.webgpu.device);
      const opened = new Session(this.#ort, session, this.#lost, () => this.#sessions.delete(opened));
      this.#sessions.add(opened);
      return opened;
    } catch (error) {
      throw DemixError.wrap(error, "model/incompatible");
    }
  }

  /** Releases all sessions. A device that has failed may refuse to. */
  async close() {
    await Promise.allSettled([...this.#sessions].map((session) => session.release()));
  }
}

/** A loaded network, which runs once at a time. */
export class Session {
  #ort;
  #session;
  #lost;
  #onRelease;
  /** @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** Runs to request ahead of the one that is awaited, to keep the device busy. */
  ahead = 1;

  /** Seconds of all runs. */
  seconds = 0;

  /**
   * @param {Ort} ort
   * @param {OrtSession} session
   * @param {Promise<never> | null} lost rejects when the GPU is lost
   * @param {() => void} onRelease
   */
  constructor(ort, session, lost, onRelease) {
    this.#onRelease = onRelease;
    this.#ort = ort;
    this.#session = session;
    this.#lost = lost;
  }

  /**
   * @param {NamedTensor[]} inputs
   * @returns {Promise<NamedTensor[]>} outputs, in their own memory
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
      throw DemixError.wrap(error, "runtime/failed");
    }
  }

  /** @param {NamedTensor[]} tensors that are no longer used */
  free(tensors) {
    free(tensors.map(({ data }) => data));
  }

  release() {
    this.#onRelease();
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
  lost.catch(() => {}); // it may be lost between two runs
  return lost;
}
