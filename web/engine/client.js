/**
 * The page's engine: starts the worker when it is needed, survives its death, and answers a cancel at once.
 */

import { missing } from "../platform/capabilities.js";
import { cancelled, EngineError } from "./errors.js";
import { Link } from "./link.js";
import { until } from "./waiting.js";

/** @typedef {import("./protocol.js").Calls} Calls */
/** @typedef {import("./protocol.js").JobRequest} JobRequest */
/** @typedef {import("./protocol.js").Model} Model */
/** @typedef {import("./protocol.js").SongAudio} SongAudio */
/** @typedef {import("./protocol.js").Settings} Settings */

/** How long the worker may take to stop by itself before it is ended: a model blocks it for many seconds. */
const GRACE_MS = 250;

/** Dispatches every event of `protocol.js` as a CustomEvent of that type, its data in `detail`. */
export class EngineClient extends EventTarget {
  #patience;
  /** @type {Settings} */ #settings = { device: "auto" };
  /** @type {Link | null} */ #link = null;
  /** @type {Promise<void> | null} */ #stopping = null;
  #asked = new AbortController();

  /** @param {{ patience?: number }} [options] milliseconds a starting engine may stay silent */
  constructor({ patience = 120_000 } = {}) {
    super();
    this.#patience = patience;
  }

  /**
   * Starts the engine, or waits for it; other settings than before start another one.
   * Optional: every other call starts it too.
   * @param {Settings} [settings]
   */
  async start(settings = this.#settings) {
    if (JSON.stringify(settings) !== JSON.stringify(this.#settings)) this.dispose();
    this.#settings = settings;
    return this.#ask((link) => link.started);
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
   * Reads a song once: its peaks, [min, max] pairs of each `hop` samples over all channels, and its level.
   * @param {SongAudio} song
   * @param {number} hop
   */
  survey(song, hop) {
    return this.#call("song.survey", { song, hop });
  }

  /**
   * Separates a song, or goes on with it; the stems arrive as `job.chunk` events.
   * @param {JobRequest} request
   */
  run(request) {
    return this.#call("job.run", request);
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

  /** @param {Link} link */
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
   * @param {(link: Link) => Promise<T>} question
   * @returns {Promise<T>}
   */
  async #ask(question) {
    const { signal } = this.#asked;
    await this.#stopping; // or this call would share the fate of the cancelled ones
    signal.throwIfAborted();
    return until(signal, question(this.#engine()));
  }

  #engine() {
    if (!this.#link || this.#link.over) {
      this.#link?.end();
      checkBrowser();
      this.#link = new Link(this.#settings, this.#patience, (type, detail) => {
        const unwanted = this.#stopping && !type.startsWith("engine.");
        if (!unwanted) this.dispatchEvent(new CustomEvent(type, { detail }));
      });
    }
    return this.#link;
  }
}

/** Says plainly what would otherwise fail somewhere in the depths. */
function checkBrowser() {
  const lacking = missing().join(", ");
  if (!lacking) return;
  throw new EngineError(
    "runtime/start-failed",
    `There is no ${lacking} here. Open the page over https, or on localhost.`,
  );
}
