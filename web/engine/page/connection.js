/**
 * One engine worker, from its start to its end. Workers are disposable: the client makes another one when the next
 * call comes.
 */

import { cancelled, DemixError, spoilsWorker } from "../../base/errors.js";
import { WorkerClient } from "../../base/messages.js";
import { pause } from "../../base/waiting.js";
import { Watchdog } from "../../base/watchdog.js";
import { ENGINE } from "../protocol.js";

/** @typedef {import("../protocol.js").Calls} Calls */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../protocol.js").Events} Events */
/** @typedef {import("../protocol.js").Settings} Settings */

/**
 * @typedef {object} Timeouts
 * @property {number} start milliseconds of silence after which a start counts as stuck
 * @property {number} work the same for a started engine, on a fast machine
 */

/**
 * Makes an engine worker that has started nothing yet.
 * @param {() => void} [onGone] called when the worker has ended, for any reason. A model blocks it for many seconds, so
 *   silence proves nothing; but it holds a lock with its name, which the browser then grants to the page.
 * @returns {Worker}
 */
export function spawn(onGone = () => {}) {
  const name = `engine-${crypto.randomUUID()}`;
  const worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module", name });
  worker.addEventListener("message", () => void navigator.locks.request(name, () => {}).then(onGone), {
    once: true,
  });
  return worker;
}

export const endedFromOutside = () =>
  new DemixError("engine/crashed", "The engine's worker was ended from outside.");

export class Connection {
  /** @type {WorkerClient<Calls, Events>} */ #client;
  #timeouts;
  #watchdog;
  /** Data of the calls in progress. @type {Set<object>} */
  #calls = new Set();
  #gflop = 0;
  #isEnded = false;
  #isSpoilt = false;
  /** @type {number | undefined} */ #timer;

  /** The device it computes on, once it is chosen. @type {Device | null} */
  device = null;

  /** Set when it has started. @type {EngineInfo | null} */
  info = null;

  /**
   * @param {Settings} settings
   * @param {Timeouts} timeouts
   * @param {(type: keyof Events, data: any) => void} onEvent not called for events of aborted calls
   */
  constructor(settings, timeouts, onEvent) {
    const worker = spawn(() => this.end(endedFromOutside()));
    this.#timeouts = timeouts;
    this.#watchdog = new Watchdog(timeouts.work, () => this.#timeOut("The engine has stopped answering."));
    worker.addEventListener("message", () => this.#keepWaiting());
    this.#client = new WorkerClient(worker, ENGINE, {
      onEvent: (type, data) => {
        if (type === "engine.fatal") this.end(DemixError.from(data));
        if (type === "engine.device") this.device = data;
        if (type === "model.progress") this.#modelProgress(data);
        if (this.#isWanted(type, data)) onEvent(type, data);
      },
      onError: (error) => this.end(error),
    });
    /** @type {Promise<EngineInfo>} */
    this.started = this.#start(settings);
    this.started.catch(() => {}); // callers that await it get its error
  }

  /** True when a new call needs a new worker: this one has ended, or its runtime has failed and nothing uses it. */
  get isOver() {
    return this.#isEnded || (this.#isSpoilt && this.#calls.size === 0);
  }

  /** True while a call is in progress. */
  get isBusy() {
    return !this.#isEnded && this.#calls.size > 0;
  }

  /**
   * @template {keyof Calls} T
   * @param {T} type
   * @param {Calls[T]["data"]} data
   * @param {AbortSignal} [signal]
   * @param {number} [gflop] work between two messages, in 1e9 operations
   * @returns {Promise<Calls[T]["value"]>}
   */
  async call(type, data, signal, gflop = 0) {
    this.#calls.add(data);
    this.#gflop = Math.max(this.#gflop, gflop);
    this.#watch();
    try {
      return await this.#client.call(type, data, { signal });
    } catch (error) {
      if (spoilsWorker(error)) this.#isSpoilt = true;
      throw error;
    } finally {
      this.#calls.delete(data);
      if (this.#calls.size === 0) {
        this.#gflop = 0;
        this.#watchdog.stop();
      }
    }
  }

  /**
   * Waits until every aborted call has stopped. The time of a start does not count: it blocks the worker only
   * briefly.
   * @param {number} grace milliseconds that a started engine has for it
   * @returns {Promise<boolean>} false when it is blocked
   */
  stopped(grace) {
    const started = this.started.catch(() => {});
    return Promise.race([
      this.#client.stopped().then(() => true),
      started.then(() => pause(grace)).then(() => false),
    ]);
  }

  /** Terminates the worker. @param {unknown} [error] of its calls */
  end(error = cancelled()) {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#watchdog.stop();
    this.#client.end(error);
  }

  /** @param {Settings} settings */
  async #start(settings) {
    this.#setTimer();
    try {
      this.info = await this.#client.call("engine.start", settings);
      this.#watch();
      return this.info;
    } catch (error) {
      this.#isSpoilt = true;
      throw error;
    } finally {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Starts have their own timeout. */
  #watch() {
    if (this.info && this.isBusy) this.#watchdog.start((1000 * this.#gflop) / this.info.gflops);
  }

  #keepWaiting() {
    if (this.#timer) this.#setTimer();
    this.#watchdog.reset();
  }

  #setTimer() {
    clearTimeout(this.#timer);
    const timeOut = () => this.#timeOut("The engine did not start in time.", "start");
    this.#timer = setTimeout(timeOut, this.#timeouts.start);
  }

  /** @param {Events["model.progress"]} event */
  #modelProgress({ stage, done, total }) {
    this.#watchdog.paused = stage === "download" && done < total;
    if (stage === "create") this.#watchdog.expect(this.#timeouts.work); // compiling takes as long as computing
  }

  /**
   * True when the call that an event belongs to is in progress. Events of a job name it; those of a model do not.
   * @param {keyof Events} type
   * @param {any} data
   */
  #isWanted(type, data) {
    if (type.startsWith("model.")) return this.#calls.size > 0;
    if (!type.startsWith("job.")) return true;
    return [...this.#calls].some((call) => "job" in call && call.job === data.job);
  }

  /** @param {string} message @param {import("../../base/errors.js").Hint} [hint] */
  #timeOut(message, hint) {
    this.end(new DemixError("engine/timeout", message, hint));
  }
}
