/**
 * The page's engine: starts the worker when it is needed, survives its death and that of a device, and answers a
 * cancel at once.
 */

import { cancelled, DemixError } from "../../base/errors.js";
import { until } from "../../base/waiting.js";
import { missing } from "../../platform/capabilities.js";
import { avoid, isFault } from "../devices/fallback.js";
import { KnownDevices } from "../devices/known-devices.js";
import { WorkerConnection } from "./connection.js";

/** @typedef {import("../protocol.js").Calls} Calls */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../../base/errors.js").ErrorCode} ErrorCode */
/** @typedef {import("../protocol.js").Events} Events */
/** @typedef {import("../protocol.js").JobRequest} JobRequest */
/** @typedef {import("../protocol.js").Model} Model */
/** @typedef {import("../protocol.js").Settings} Settings */
/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */

/** How long the worker may take to stop by itself before it is ended: a model blocks it for many seconds. */
const GRACE_MS = 250;

/** Seconds of sound that the models see at once, at most. */
const SEGMENT_S = 12;

/** Dispatches every event of `protocol.js` as a CustomEvent of that type, its data in `detail`. */
export class EngineClient extends EventTarget {
  #patience;
  #devices;
  /** @type {Settings} */ #settings = { device: "auto" };
  /** What takes the place of the settings since a device has failed. @type {Settings | null} */ #detour =
    null;
  /** What the link was made with. @type {Settings | null} */ #used = null;
  /** @type {WorkerConnection | null} */ #link = null;
  /** @type {Promise<void> | null} */ #stopping = null;
  #asked = new AbortController();

  /**
   * @param {object} [options]
   * @param {KnownDevices} [options.devices]
   * @param {number} [options.patience] milliseconds that a starting engine may stay silent
   * @param {number} [options.silence] the same for a working one, unless it is known to be slow
   */
  constructor({ devices = new KnownDevices(), patience = 120_000, silence = 30_000 } = {}) {
    super();
    this.#devices = devices;
    this.#patience = { start: patience, work: silence };
  }

  /**
   * Starts the engine, or waits for it; other settings than before start another one.
   * Optional: every other call starts it too.
   * @param {Settings} [settings]
   */
  async start(settings = this.#settings) {
    if (JSON.stringify(settings) !== JSON.stringify(this.#settings)) {
      this.dispose();
      this.prefer(settings);
    }
    return this.#persist((link) => link.started);
  }

  /**
   * Other settings, or what is known now, from the next call on for which the engine is free.
   * @param {Settings} settings
   */
  prefer(settings) {
    this.#settings = { ...settings };
    this.#detour = null;
  }

  /**
   * Downloads, verifies and loads a model.
   * @param {Model} model
   * @param {string} [precision]
   */
  openModel(model, precision) {
    return this.#call("model.open", { model, precision });
  }

  /**
   * Draws a part of a song or stem.
   * @param {StoredAudio} song
   * @param {import("../protocol.js").SpectrogramWindow} window
   */
  spectrogram(song, window) {
    return this.#call("song.spectrogram", { song, window });
  }

  /**
   * Separates a song, or goes on with it; the stems arrive as `job.chunk` events. After a fault of the machine the
   * same request is made once more elsewhere, which an `engine.fallback` event tells.
   * @param {JobRequest} request
   */
  async run(request) {
    const gflop = request.model.gflop_per_second * SEGMENT_S;
    try {
      return await this.#persist((link) => link.call("job.run", request, gflop));
    } finally {
      if (this.#detour?.threads) this.#detour = null; // the processor may do better with the next song
    }
  }

  /**
   * Stops whatever is under way: its calls fail with `cancelled` now, and no event of theirs follows.
   * @returns {Promise<void>} settles when the engine is free again; there is no need to wait for it
   */
  async cancel() {
    this.#asked.abort(cancelled());
    this.#asked = new AbortController();
    if (this.#link?.busy) this.#stopping ??= this.#free(this.#link);
    await this.#stopping;
  }

  /** Ends the worker and gives its memory back; the next call starts another. */
  dispose() {
    this.#link?.end();
    this.#link = null;
  }

  /** @param {WorkerConnection} link */
  async #free(link) {
    if (!(await link.stop(GRACE_MS))) {
      link.end();
      this.#engine(); // warm for the next song
    }
    this.#stopping = null;
  }

  /**
   * @template {keyof Calls} T
   * @param {T} type
   * @param {Calls[T]["data"]} data
   */
  #call(type, data) {
    return this.#ask((link) => link.call(type, data));
  }

  /**
   * @template T
   * @param {(link: WorkerConnection) => Promise<T>} question
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #ask(question, signal = this.#asked.signal) {
    await this.#stopping; // or this call would share the fate of the cancelled ones
    signal.throwIfAborted();
    return until(signal, question(this.#engine()));
  }

  /**
   * Asks once more, elsewhere, when the machine was at fault.
   * @template T
   * @param {(link: WorkerConnection) => Promise<T>} question
   * @returns {Promise<T>}
   */
  async #persist(question) {
    const { signal } = this.#asked;
    /** @type {WorkerConnection | undefined} */
    let asked;
    try {
      return await this.#ask((link) => {
        asked = link;
        return question(link);
      }, signal);
    } catch (reason) {
      if (!asked || !isFault(reason)) throw reason;
      this.#avoid(asked, reason);
      return this.#ask(question, signal);
    }
  }

  /** @param {WorkerConnection} link @param {DemixError} error */
  #avoid(link, error) {
    if (link !== this.#link) return; // another call has seen to it
    this.dispose();
    const { device: from } = link;
    this.#detour = avoid(this.#settings, from);
    const { workers, threads } = this.#detour;
    const to = from && { kind: /** @type {const} */ ("wasm"), workers, threads };
    this.#remember(from, error.code, link.info !== null);
    this.#tell("engine.fallback", { from, to, error: error.toData() });
  }

  /**
   * A GPU that has failed will fail again; what kept it from starting may be something else.
   * @param {Device | null} device
   * @param {ErrorCode} code
   * @param {boolean} started
   */
  #remember(device, code, started) {
    if (device?.adapter && (started || code === "runtime/failed")) this.#devices.reject(device.adapter, code);
  }

  #engine() {
    const settings = this.#detour ?? this.#settings;
    const stale = this.#used !== settings && !this.#link?.busy;
    if (!this.#link || this.#link.over || stale) {
      this.#link?.end();
      checkBrowser();
      this.#used = settings;
      this.#link = this.#connect(settings);
    }
    return this.#link;
  }

  /** @param {Settings} settings */
  #connect(settings) {
    const { known } = this.#devices;
    const link = new WorkerConnection({ ...settings, known }, this.#patience, (type, detail) => {
      if (type === "engine.fallback") this.#remember(detail.from, detail.error.code, false);
      const unwanted = this.#stopping && !type.startsWith("engine.");
      if (!unwanted) this.#tell(type, detail);
    });
    const accept = (/** @type {EngineInfo} */ info) => this.#devices.accept(info);
    link.started.then(accept, () => {}); // whoever asked for a start sees its error
    return link;
  }

  /**
   * @template {keyof Events} T
   * @param {T} type
   * @param {Events[T]} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Says plainly what would otherwise fail somewhere in the depths. */
function checkBrowser() {
  const lacking = missing().join(", ");
  if (!lacking) return;
  throw new DemixError(
    "runtime/start-failed",
    `There is no ${lacking} here. Open the page over https, or on localhost.`,
  );
}
