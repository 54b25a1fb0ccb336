/**
 * Runs analyses in a second engine worker, which has Python and no model: drawing a spectrogram neither waits for a
 * separation nor delays it. The worker starts with the first analysis and ends when idle.
 */

import { DemixError, spoilsWorker } from "../../base/errors.js";
import { WorkerClient } from "../../base/messages.js";
import { ENGINE } from "../protocol.js";
import { endedFromOutside, spawn } from "./connection.js";

/** @typedef {import("../protocol.js").Calls} Calls */
/** @typedef {import("../protocol.js").Events} Events */

const IDLE_MS = 60_000;

export class Analyser {
  #idle;
  /** @type {WorkerClient<Calls, Events> | null} */ #client = null;
  #running = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /**
   * @param {number} [idle] milliseconds without work after which the worker ends
   */
  constructor(idle = IDLE_MS) {
    this.#idle = idle;
  }

  /**
   * @param {import("../protocol.js").AnalysisRequest} request
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>} the analysis's own value
   */
  async run(request, signal) {
    clearTimeout(this.#timer);
    this.#running += 1;
    this.#client ??= this.#start();
    const client = this.#client;
    try {
      return await client.call("analysis.run", request, { signal });
    } catch (error) {
      if (spoilsWorker(error) && client === this.#client) this.end(error);
      throw error;
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#timer = setTimeout(() => this.end(), this.#idle);
    }
  }

  /** Terminates the worker; the next analysis starts another one. @param {unknown} [error] of running analyses */
  end(error) {
    clearTimeout(this.#timer);
    this.#client?.end(error);
    this.#client = null;
  }

  #start() {
    const fail = (/** @type {DemixError} */ error) => client === this.#client && this.end(error);
    /** @type {WorkerClient<Calls, Events>} */
    const client = new WorkerClient(
      spawn(() => fail(endedFromOutside())),
      ENGINE,
      {
        onEvent: (type, data) => {
          if (type === "engine.fatal") fail(DemixError.from(data));
        },
        onError: fail,
      },
    );
    return client;
  }
}
