/**
 * The processor: one or more compute workers that hold the same models, each with some of its threads. To the engine
 * it is what a `Runtime` of `ort.js` is.
 */

import { free } from "../../base/buffers.js";
import { DemixError, messageOf } from "../../base/errors.js";
import { Caller } from "../../base/messages.js";
import { COMPUTE } from "../protocol.js";

/** @typedef {import("../protocol.js").ComputeCalls} ComputeCalls */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").NamedTensor} NamedTensor */
/** @typedef {(type: keyof import("../protocol.js").Events, data: any) => void} OnEvent */

export class WorkerPool {
  #hands;
  #opened = 0;

  /**
   * @param {Hand[]} hands
   * @param {Device} device
   * @param {string} version
   */
  constructor(hands, device, version) {
    this.#hands = hands;
    this.device = device;
    this.version = version;
  }

  /** @param {Device} device @param {OnEvent} onEvent */
  static async load(device, onEvent) {
    const hands = Array.from({ length: device.workers }, () => new Hand(onEvent));
    try {
      const [{ version }] = await Promise.all(hands.map((hand) => hand.call("runtime.load", device)));
      return new WorkerPool(hands, device, version);
    } catch (error) {
      for (const hand of hands) hand.end();
      throw new DemixError("runtime/start-failed", messageOf(error));
    }
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} model an ONNX file, which the last of the workers takes over
   * @returns {Promise<PooledSession>}
   */
  async open(model) {
    const session = ++this.#opened;
    const last = this.#hands[this.#hands.length - 1];
    await Promise.all(
      this.#hands.map((hand) =>
        hand.call("session.open", { session, model }, hand === last ? [model.buffer] : []),
      ),
    );
    return new PooledSession(this.#hands, session);
  }
}

/** One loaded model. */
class PooledSession {
  #hands;
  #session;
  /** By worker. @type {Map<Hand, number>} */ #seconds = new Map();

  /**
   * @param {Hand[]} hands
   * @param {number} session
   */
  constructor(hands, session) {
    this.#hands = hands;
    this.#session = session;
  }

  /** Each worker computes one segment and has another one ready. */
  get ahead() {
    return 2 * this.#hands.length - 1;
  }

  /** What all runs took, if nothing else was to be done. */
  get seconds() {
    const seconds = [...this.#seconds.values()];
    return seconds.reduce((sum, each) => sum + each, 0) / this.#hands.length;
  }

  /**
   * @param {NamedTensor[]} inputs go to the worker, and are empty here from then on
   * @returns {Promise<NamedTensor[]>}
   */
  async run(inputs) {
    // It waits at the worker and not here, where Python would keep it from starting in time.
    const hand = this.#hands.reduce((best, other) => (other.pending < best.pending ? other : best));
    const asked = { session: this.#session, inputs };
    const { outputs, seconds } = await hand.call("session.run", asked, buffersOf(inputs));
    this.#seconds.set(hand, seconds);
    return outputs;
  }

  /** @param {NamedTensor[]} tensors that nobody needs any more */
  free(tensors) {
    free(tensors.map(({ data }) => data));
  }

  async release() {
    await Promise.all(this.#hands.map((hand) => hand.call("session.release", { session: this.#session })));
  }
}

/** A compute worker. */
class Hand {
  #worker;
  /** @type {Caller<ComputeCalls, import("../protocol.js").Events>} */ #caller;

  /** Calls that wait for their reply. */
  pending = 0;

  /** @param {OnEvent} onEvent */
  constructor(onEvent) {
    this.#worker = new Worker(new URL("../compute/main.js", import.meta.url), {
      type: "module",
      name: "compute",
    });
    this.#caller = new Caller(this.#worker, COMPUTE, onEvent);
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#caller.fail(
        new DemixError("runtime/failed", event.message ?? "The runtime could not be loaded."),
      );
    });
  }

  /**
   * @template {keyof ComputeCalls} T
   * @param {T} type
   * @param {ComputeCalls[T]["data"]} data
   * @param {Transferable[]} [transfer]
   * @returns {Promise<ComputeCalls[T]["value"]>}
   */
  async call(type, data, transfer) {
    this.pending += 1;
    try {
      return await this.#caller.call(type, data, { transfer });
    } finally {
      this.pending -= 1;
    }
  }

  end() {
    this.#worker.terminate();
  }
}

/** @param {NamedTensor[]} tensors */
const buffersOf = (tensors) => tensors.map(({ data }) => data.buffer);
