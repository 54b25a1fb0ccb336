/**
 * One engine worker, from its birth to its end, however it ends. Workers are disposable: the client makes a
 * new one when the next call comes.
 */

import { cancelled, DemixError } from "../../base/errors.js";
import { Caller } from "../../base/messages.js";
import { pause } from "../../base/waiting.js";
import { ENGINE } from "../protocol.js";
import { Watchdog } from "./watchdog.js";

/** @typedef {import("../protocol.js").Calls} Calls */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../protocol.js").Settings} Settings */

/**
 * @typedef {object} Patience
 * @property {number} start milliseconds without a sign of life after which a start counts as stuck
 * @property {number} work the same for a started engine, on a fast machine
 */

export class WorkerConnection {
  #worker;
  /** @type {Caller<Calls, import("../protocol.js").Events>} */ #caller;
  #patience;
  #watchdog;
  #pending = 0;
  #gflop = 0;
  #ended = false;
  #spent = false;
  /** @type {number | undefined} */ #timer;

  /** What it computes with, as far as it is known. @type {Device | null} */
  device = null;

  /** What it has told of itself when it had started. @type {EngineInfo | null} */
  info = null;

  /**
   * @param {Settings} settings
   * @param {Patience} patience
   * @param {(type: keyof import("../protocol.js").Events, data: any) => void} onEvent
   */
  constructor(settings, patience, onEvent) {
    const name = `engine-${crypto.randomUUID()}`;
    this.#patience = patience;
    this.#watchdog = new Watchdog(patience.work, () => this.#giveUp("The engine has stopped answering."));
    this.#worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module", name });
    this.#worker.addEventListener("message", () => this.#mourn(name), { once: true });
    this.#worker.addEventListener("message", () => this.#hear());
    this.#worker.addEventListener("messageerror", () => this.#crash("It sent what cannot be read."));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault(); // it becomes an error of the calls under way
      this.#crash(event.message ?? "It could not be loaded.");
    });
    this.#caller = new Caller(this.#worker, ENGINE, (type, data) => {
      if (type === "engine.fatal") this.end(DemixError.from(data));
      if (type === "engine.device") this.device = data;
      if (type === "model.progress") this.#modelProgress(data);
      onEvent(type, data);
    });
    /** @type {Promise<EngineInfo>} */
    this.started = this.#start(settings);
    this.started.catch(() => {}); // whoever needs it awaits it and sees the error there
  }

  /** Whether a new call needs a new worker: this one is gone, or its runtime has failed and nothing uses it. */
  get over() {
    return this.#ended || (this.#spent && this.#pending === 0);
  }

  /** Whether it works on something. */
  get busy() {
    return !this.#ended && this.#pending > 0;
  }

  /**
   * @template {keyof Calls} T
   * @param {T} type
   * @param {Calls[T]["data"]} data
   * @param {number} [gflop] what it computes in silence, in 1e9 operations
   * @returns {Promise<Calls[T]["value"]>}
   */
  async call(type, data, gflop = 0) {
    this.#pending += 1;
    this.#gflop = Math.max(this.#gflop, gflop);
    this.#watch();
    try {
      return await this.#caller.call(type, data);
    } catch (error) {
      // A wasm runtime that has failed once is not to be trusted again, and its heap never shrinks.
      if (error instanceof DemixError && error.code.startsWith("runtime/")) this.#spent = true;
      throw error;
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) {
        this.#gflop = 0;
        this.#watchdog.rest();
      }
    }
  }

  /**
   * Asks it to stop all work. A start goes on: it blocks for short moments only, and is soon needed again.
   * @param {number} grace milliseconds that a started engine has for it
   * @returns {Promise<boolean>} whether it stopped
   */
  stop(grace) {
    const ended = () => true;
    const stopped = this.#caller.call("job.cancel", { job: null }).then(ended, ended);
    const started = this.started.catch(() => {});
    return Promise.race([stopped, started.then(() => pause(grace)).then(() => false)]);
  }

  /** @param {DemixError} [error] what the calls under way fail with */
  end(error = cancelled()) {
    if (this.#ended) return;
    this.#ended = true;
    this.#rest();
    this.#watchdog.rest();
    this.#worker.terminate();
    this.#caller.fail(error);
  }

  /** @param {Settings} settings */
  async #start(settings) {
    this.#expect();
    try {
      this.info = await this.#caller.call("engine.start", settings);
      this.#watch();
      return this.info;
    } catch (error) {
      this.#spent = true;
      throw error;
    } finally {
      this.#rest();
    }
  }

  /** A start has a patience of its own. */
  #watch() {
    if (this.info && this.busy) this.#watchdog.watch((1000 * this.#gflop) / this.info.gflops);
  }

  #hear() {
    if (this.#timer) this.#expect();
    this.#watchdog.hear();
  }

  /** @param {import("../protocol.js").Events["model.progress"]} event */
  #modelProgress({ stage, done, total }) {
    this.#watchdog.asleep = stage === "download" && done < total;
    if (stage === "create") this.#watchdog.expect(this.#patience.work); // it compiles, where it usually computes
  }

  #expect() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp("The engine did not start in time."), this.#patience.start);
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** @param {string} reason */
  #giveUp(reason) {
    this.end(new DemixError("engine/timeout", reason));
  }

  /** @param {string} reason */
  #crash(reason) {
    this.end(new DemixError("engine/crashed", `The engine stopped unexpectedly. ${reason}`));
  }

  /**
   * Learns of the worker's death. It blocks for many seconds in a model, so silence says nothing; but it holds
   * a lock with its name while it lives, which the browser hands on to us the moment it is gone.
   * @param {string} name
   */
  async #mourn(name) {
    await navigator.locks.request(name, () => {});
    this.#crash("It was ended from outside.");
  }
}
