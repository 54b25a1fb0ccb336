/** The page's end of the export worker: starts it when it is needed, and ends it to cancel. */

import { cancelled, DemixError } from "../../base/errors.js";

/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("../protocol.js").Destination} Destination */
/** @typedef {import("../protocol.js").FromExporter} FromExporter */
/** @typedef {import("../protocol.js").MixMeasurement} MixMeasurement */
/** @typedef {import("../protocol.js").Plan} Plan */
/** @typedef {import("../protocol.js").ToExporter} ToExporter */
/** @typedef {(fraction: number) => void} Report */

/** @typedef {{ reject: (reason: unknown) => void, report: Report, resolve: (message: FromExporter) => void }} Pending */

export class Exporter {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Pending | null} */
  #pending = null;

  /**
   * Reads a song and its stems once.
   * @param {StoredAudio} song
   * @param {StoredAudio[]} stems
   * @param {number[][]} gains of the mix
   * @param {Report} report
   * @returns {Promise<MixMeasurement>}
   */
  async measure(song, stems, gains, report) {
    const message = await this.#ask({ type: "measure", song, stems, gains }, report);
    return /** @type {Extract<FromExporter, { type: "measured" }>} */ (message).measurement;
  }

  /**
   * @param {Plan} plan
   * @param {Destination} destination
   * @param {Report} report
   * @returns {Promise<{ blob: Blob | null, clipped: number }>} the file, unless it was picked
   */
  async write(plan, destination, report) {
    const message = await this.#ask({ type: "write", plan, destination }, report);
    const { blob, clipped } = /** @type {Extract<FromExporter, { type: "written" }>} */ (message);
    return { blob, clipped };
  }

  /** Stops whatever is under way, which fails with `cancelled`, and gives the memory back. */
  end() {
    this.#fail(cancelled());
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#pending?.reject(error);
    this.#pending = null;
  }

  /** @param {ToExporter} order @param {Report} report @returns {Promise<FromExporter>} */
  #ask(order, report) {
    if (this.#pending) this.end();
    this.#worker ??= this.#start();
    this.#worker.postMessage(order);
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, report };
    });
  }

  #start() {
    const worker = new Worker(new URL("../worker/main.js", import.meta.url), {
      type: "module",
      name: "export",
    });
    worker.addEventListener("message", ({ data }) => this.#hear(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#fail(new DemixError("engine/crashed", event.message ?? "The exporter could not be loaded."));
    });
    return worker;
  }

  /** @param {FromExporter} message */
  #hear(message) {
    if (message.type === "progress") return this.#pending?.report(message.fraction);
    const pending = this.#pending;
    this.#pending = null;
    if (message.type === "failed") pending?.reject(DemixError.from(message.error));
    else pending?.resolve(message);
  }
}
