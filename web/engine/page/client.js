/**
 * The page's side of the engine: starts the worker when it is needed, replaces it when it dies, falls back to another
 * device when one fails, and honours an abort immediately.
 */

import { DemixError } from "../../base/errors.js";
import { until } from "../../base/waiting.js";
import { missing } from "../../platform/capabilities.js";
import { avoid, isFault } from "../devices/fallback.js";
import { Analyser } from "./analyser.js";
import { Connection } from "./connection.js";
import { KnownDevices } from "./known-devices.js";

/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../../base/errors.js").ErrorCode} ErrorCode */
/** @typedef {import("../protocol.js").Events} Events */
/** @typedef {import("../protocol.js").JobRequest} JobRequest */
/** @typedef {import("../protocol.js").Model} Model */
/** @typedef {import("../protocol.js").Settings} Settings */
/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */

/** Time for an aborted call to stop before its worker is ended: a model may block it for many seconds. */
const GRACE_MS = 250;

/** Fails the calls of a worker that is replaced; its successor gets them again. */
const REPLACED = new DemixError("engine/crashed", "The engine was started anew.");

/** Dispatches every event of `protocol.js` as a CustomEvent of that type, its data in `detail`. */
export class EngineClient extends EventTarget {
  #timeouts;
  #grace;
  #devices;
  #analyser;
  /** @type {Settings} */ #settings = { device: "auto" };
  /** Take the place of the settings after a device has failed. @type {Settings | null} */
  #fallback = null;
  /** Settings of the connection. @type {Settings | null} */
  #used = null;
  /** @type {Connection | null} */ #connection = null;
  /** Resolves when the aborted calls have stopped. @type {Promise<void> | null} */
  #stopping = null;

  /**
   * @param {object} [options]
   * @param {KnownDevices} [options.devices]
   * @param {number} [options.startTimeout] milliseconds of silence after which a start counts as stuck
   * @param {number} [options.workTimeout] the same for a running call, on a fast machine
   * @param {number} [options.grace] milliseconds that an aborted call may take to stop
   * @param {number} [options.idle] milliseconds without analyses after which their worker ends
   */
  constructor({
    devices = new KnownDevices(),
    startTimeout = 120_000,
    workTimeout = 30_000,
    grace = GRACE_MS,
    idle,
  } = {}) {
    super();
    this.#devices = devices;
    this.#timeouts = { start: startTimeout, work: workTimeout };
    this.#grace = grace;
    this.#analyser = new Analyser(idle);
  }

  /**
   * Starts the engine, or waits for it; other settings than before start another one. Optional: every other call
   * starts it too.
   * @param {Settings} [settings]
   */
  async start(settings = this.#settings) {
    if (JSON.stringify(settings) !== JSON.stringify(this.#settings)) {
      this.#connection?.end();
      this.prefer(settings);
    }
    return this.#withFallback((connection) => connection.started);
  }

  /**
   * Changes the settings for later calls, once the engine is free, and forgets a fallback.
   * @param {Settings} settings
   */
  prefer(settings) {
    this.#settings = { ...settings };
    this.#fallback = null;
  }

  /**
   * Downloads, verifies and loads a model.
   * @param {Model} model
   * @param {string} [precision]
   * @param {AbortSignal} [signal]
   */
  openModel(model, precision, signal) {
    return this.#ask((connection) => connection.call("model.open", { model, precision }, signal), signal);
  }

  /**
   * Computes an analysis of a song or stem, beside any separation.
   * @param {string} name as `demixer.analyses` knows it
   * @param {StoredAudio} source
   * @param {object} options the analysis's own
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>} its own value
   */
  async analyse(name, source, options, signal) {
    checkBrowser();
    return this.#analyser.run({ name, source, options }, signal);
  }

  /**
   * Separates a song, or resumes its separation; the stems arrive as `job.chunk` events. When a device fails, the
   * request is repeated on another one, after an `engine.fallback` event.
   *
   * An abort rejects the call immediately, and no event of the job follows.
   * @param {JobRequest} request
   * @param {AbortSignal} [signal]
   */
  async run(request, signal) {
    const gflop = request.model.gflop_per_second * request.model.segment;
    try {
      return await this.#withFallback(
        (connection) => connection.call("job.run", request, signal, gflop),
        signal,
      );
    } finally {
      if (this.#fallback?.threads) this.#fallback = null; // the processor may do better with the next song
    }
  }

  /** Ends the workers and frees their memory; the next call starts others. */
  dispose() {
    this.#connection?.end();
    this.#connection = null;
    this.#analyser.end();
  }

  /**
   * Calls the engine, and again if its worker is replaced during the call.
   * @template T
   * @param {(connection: Connection) => Promise<T>} call
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #ask(call, signal) {
    for (;;) {
      if (this.#stopping) await until(signal, this.#stopping); // its worker may be replaced
      signal?.throwIfAborted();
      const connection = this.#connect();
      try {
        return await call(connection);
      } catch (reason) {
        if (signal?.aborted) this.#stopping ??= this.#stop(connection);
        if (signal?.aborted || reason !== REPLACED) throw reason;
      }
    }
  }

  /**
   * Waits until the aborted calls have stopped, and replaces a worker that is blocked.
   * @param {Connection} connection
   */
  async #stop(connection) {
    if (!(await connection.stopped(this.#grace))) {
      connection.end(REPLACED);
      this.#connect();
    }
    this.#stopping = null;
  }

  /**
   * Calls the engine, and once more on another device when one has failed.
   * @template T
   * @param {(connection: Connection) => Promise<T>} call
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #withFallback(call, signal) {
    /** @type {Connection | undefined} */
    let used;
    try {
      return await this.#ask((connection) => {
        used = connection;
        return call(connection);
      }, signal);
    } catch (reason) {
      if (!used || signal?.aborted || !isFault(reason)) throw reason;
      this.#avoid(used, reason);
      return this.#ask(call, signal);
    }
  }

  /** @param {Connection} connection @param {DemixError} error */
  #avoid(connection, error) {
    if (connection !== this.#connection) return; // another call has replaced it
    connection.end(REPLACED);
    this.#connection = null;
    const { device: from } = connection;
    this.#fallback = avoid(this.#settings, from);
    const { workers, threads } = this.#fallback;
    const to = from && { kind: /** @type {const} */ ("wasm"), workers, threads };
    this.#remember(from, error.code, connection.info !== null);
    this.#dispatch("engine.fallback", { from, to, error: error.toData() });
  }

  /**
   * Remembers a GPU that has failed, since it will fail again; a start may have failed for another reason.
   * @param {Device | null} device
   * @param {ErrorCode} code
   * @param {boolean} started
   */
  #remember(device, code, started) {
    if (device?.adapter && (started || code === "runtime/failed")) this.#devices.reject(device.adapter, code);
  }

  /** The worker for the next call. */
  #connect() {
    const settings = this.#fallback ?? this.#settings;
    const isStale = this.#used !== settings && !this.#connection?.isBusy;
    if (!this.#connection || this.#connection.isOver || isStale) {
      this.#connection?.end(REPLACED);
      checkBrowser();
      this.#used = settings;
      this.#connection = this.#start(settings);
    }
    return this.#connection;
  }

  /** @param {Settings} settings */
  #start(settings) {
    const { memory } = this.#devices;
    const connection = new Connection({ ...settings, memory }, this.#timeouts, (type, detail) => {
      if (type === "engine.fallback") this.#remember(detail.from, detail.error.code, false);
      this.#dispatch(type, detail);
    });
    const accept = (/** @type {EngineInfo} */ info) => this.#devices.accept(info);
    connection.started.then(accept, () => {}); // callers of `start` get its error
    return connection;
  }

  /**
   * @template {keyof Events} T
   * @param {T} type
   * @param {Events[T]} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Fails early, with one clear line. */
function checkBrowser() {
  const lacking = missing().join(", ");
  if (!lacking) return;
  throw new DemixError("runtime/start-failed", `There is no ${lacking} here.`, "https");
}
