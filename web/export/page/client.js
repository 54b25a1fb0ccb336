/** Client of the export worker, which is started at the first request. */

import { cancelled, spoilsWorker } from "../../base/errors.js";
import { WorkerClient } from "../../base/messages.js";
import { firstOf } from "../../base/waiting.js";
import { EXPORT } from "../protocol.js";

/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("../protocol.js").Calls} Calls */
/** @typedef {import("../protocol.js").Destination} Destination */
/** @typedef {import("../protocol.js").Events} Events */
/** @typedef {import("../protocol.js").MixMeasurement} MixMeasurement */
/** @typedef {import("../protocol.js").Plan} Plan */
/** @typedef {import("../protocol.js").WrittenFile} WrittenFile */
/** @typedef {(fraction: number) => void} Report */

/** Works on one request at a time: a new one cancels the one before. */
export class Exporter {
  /** @type {WorkerClient<Calls, Events> | null} */
  #client = null;
  #current = new AbortController();
  /** @type {Report} */
  #report = () => {};

  /**
   * Reads a song and its stems once.
   * @param {StoredAudio} song
   * @param {StoredAudio[]} stems
   * @param {number[][]} gains of the mix, by stem and channel
   * @param {Report} report progress
   * @param {AbortSignal} [signal]
   * @returns {Promise<MixMeasurement>}
   */
  measure(song, stems, gains, report, signal) {
    return this.#call("mix.measure", { song, stems, gains }, report, signal);
  }

  /**
   * @param {Plan} plan
   * @param {Destination} destination
   * @param {Report} report progress
   * @param {AbortSignal} [signal] stops the worker at its next block
   * @returns {Promise<WrittenFile>}
   */
  write(plan, destination, report, signal) {
    return this.#call("file.write", { plan, destination }, report, signal);
  }

  /** Resolves when the worker has stopped everything that was aborted. */
  async stopped() {
    await this.#client?.stopped();
  }

  /** Terminates the worker; the current request fails with `cancelled`. */
  end() {
    this.#end(cancelled());
  }

  /**
   * @template {keyof Calls} T
   * @param {T} type
   * @param {Calls[T]["data"]} data
   * @param {Report} report
   * @param {AbortSignal} [signal]
   * @returns {Promise<Calls[T]["value"]>}
   */
  async #call(type, data, report, signal) {
    this.#current.abort(cancelled());
    const current = new AbortController();
    this.#current = current;
    this.#client ??= this.#start();
    const client = this.#client;
    await client.stopped();
    const either = firstOf(current.signal, signal);
    this.#report = (fraction) => {
      if (!either.aborted) report(fraction); // the worker may still be stopping
    };
    try {
      return await client.call(type, data, { signal: either });
    } catch (error) {
      if (spoilsWorker(error) && client === this.#client) this.#end(error);
      throw error;
    }
  }

  #start() {
    const worker = new Worker(new URL("../worker/main.js", import.meta.url), {
      type: "module",
      name: "export",
    });
    /** @type {WorkerClient<Calls, Events>} */
    const client = new WorkerClient(worker, EXPORT, {
      onEvent: (_, { fraction }) => this.#report(fraction),
      onError: (error) => this.#end(error),
    });
    return client;
  }

  /** @param {unknown} error of the current request */
  #end(error) {
    this.#client?.end(error);
    this.#client = null;
    this.#current.abort(error);
  }
}
