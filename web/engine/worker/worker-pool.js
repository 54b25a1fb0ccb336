/**
 * The processor as a model runtime: compute workers that hold the same networks, each with some of its threads. A pool
 * has the interface of `Runtime` in `compute/runtime.js`.
 */

import { free } from "../../base/buffers.js";
import { startError } from "../../base/loading.js";
import { WorkerClient } from "../../base/messages.js";
import { COMPUTE } from "../protocol.js";

/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").NamedTensor} NamedTensor */
/** @typedef {WorkerClient<import("../protocol.js").ComputeCalls, import("../protocol.js").ComputeEvents>} ComputeWorker */

export class WorkerPool {
  #workers;
  #lastSession = 0;

  /**
   * @param {ComputeWorker[]} workers
   * @param {Device} device
   * @param {string} version
   */
  constructor(workers, device, version) {
    this.#workers = workers;
    this.device = device;
    this.version = version;
  }

  /** @param {Device} device */
  static async load(device) {
    const workers = Array.from({ length: device.workers }, startWorker);
    try {
      const [{ version }] = await Promise.all(workers.map((worker) => worker.call("runtime.load", device)));
      return new WorkerPool(workers, device, version);
    } catch (error) {
      for (const worker of workers) worker.end();
      throw startError(error);
    }
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} model an ONNX file, which moves to one of the workers
   * @returns {Promise<PooledSession>}
   */
  async open(model) {
    const id = ++this.#lastSession;
    const session = new PooledSession(this.#workers, id);
    const last = this.#workers.at(-1);
    const opening = this.#workers.map((worker) =>
      worker.call(
        "session.open",
        { session: id, model },
        { transfer: worker === last ? [model.buffer] : [] },
      ),
    );
    const outcomes = await Promise.allSettled(opening);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (!failed) return session;
    await session.release().catch(() => {}); // the first error counts
    throw failed.reason;
  }

  /** Ends the workers. */
  close() {
    for (const worker of this.#workers) worker.end();
  }
}

/** A network that every worker of a pool has loaded. */
class PooledSession {
  #workers;
  #id;
  /** Seconds of all runs by worker. @type {Map<ComputeWorker, number>} */
  #seconds = new Map();

  /**
   * @param {ComputeWorker[]} workers
   * @param {number} id
   */
  constructor(workers, id) {
    this.#workers = workers;
    this.#id = id;
  }

  /** Runs to request ahead of the one that is awaited: each worker has another segment ready. */
  get ahead() {
    return 2 * this.#workers.length - 1;
  }

  /** Seconds that all runs would have taken with all workers busy. */
  get seconds() {
    const seconds = [...this.#seconds.values()];
    return seconds.reduce((sum, each) => sum + each, 0) / this.#workers.length;
  }

  /**
   * Runs on the worker with the least to do. Runs queue at the worker and not here, where Python would keep them from
   * starting in time.
   * @param {NamedTensor[]} inputs move to the worker
   * @returns {Promise<NamedTensor[]>}
   */
  async run(inputs) {
    const worker = this.#workers.reduce((least, other) => (other.pending < least.pending ? other : least));
    const transfer = inputs.map(({ data }) => data.buffer);
    const { outputs, seconds } = await worker.call(
      "session.run",
      { session: this.#id, inputs },
      { transfer },
    );
    this.#seconds.set(worker, seconds);
    return outputs;
  }

  /** @param {NamedTensor[]} tensors that are no longer used */
  free(tensors) {
    free(tensors.map(({ data }) => data));
  }

  async release() {
    await Promise.all(this.#workers.map((worker) => worker.call("session.release", { session: this.#id })));
  }
}

/** @returns {ComputeWorker} */
function startWorker() {
  const url = new URL("../compute/main.js", import.meta.url);
  const worker = new Worker(url, { type: "module", name: "compute" });
  return new WorkerClient(worker, COMPUTE, { crash: "runtime/failed" });
}
