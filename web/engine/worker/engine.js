/**
 * Handles the requests to an engine worker.
 */

import { until } from "../../base/waiting.js";
import { AudioReader } from "../../library/audio-reader.js";
import { JobOutput } from "../../library/job-output.js";
import { ModelLoader } from "./model-loader.js";
import { Startup } from "./startup.js";

/** @typedef {import("../protocol.js").Calls} Calls */

export class Engine {
  #emit;
  #startup;
  #models;
  /** Settles when the last call in the queue has ended. @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /** @type {import("../../base/messages.js").Handlers<Calls>} */
  handlers = {
    "engine.start": (settings) => this.#startup.start(settings),
    "device.benchmark": (settings) => this.#startup.benchmark(settings),
    "model.open": (request, signal) => this.#inTurn(signal, () => this.#openModel(request, signal)),
    "job.run": (request, signal) => this.#inTurn(signal, () => this.#runJob(request, signal)),
    "analysis.run": (request, signal) => this.#analyse(request, signal),
  };

  /** @param {import("../../base/messages.js").Emit<import("../protocol.js").Events>} emit */
  constructor(emit) {
    this.#emit = emit;
    this.#startup = new Startup(emit);
    this.#models = new ModelLoader(this.#startup, emit);
  }

  /** @param {Calls["model.open"]["data"]} request @param {AbortSignal} signal */
  async #openModel({ model, precision }, signal) {
    const { bytes, cached } = await this.#models.open(model, precision, signal);
    return { bytes, cached };
  }

  /** @param {Calls["job.run"]["data"]} request @param {AbortSignal} signal */
  async #runJob(request, signal) {
    const { job, model, precision } = request;
    const hasWeights = Object.keys(model.artifacts).length > 0;
    const { sessions } = hasWeights ? await this.#models.open(model, precision, signal) : { sessions: [] };
    const bridge = await until(signal, this.#startup.python());
    const song = await until(signal, AudioReader.open(request.song));
    const output = await JobOutput.open(request, (start, length, stems) =>
      this.#emit("job.chunk", { job, start, length, stems }),
    );
    try {
      signal.throwIfAborted();
      const report = await bridge.runJob(request, song, sessions, output, signal, this.#emit);
      await output.finish(report);
      return report;
    } finally {
      await output.close();
    }
  }

  /** @param {Calls["analysis.run"]["data"]} request @param {AbortSignal} signal */
  async #analyse({ name, source, options }, signal) {
    const bridge = await until(signal, this.#startup.python());
    return bridge.runAnalysis(name, await until(signal, AudioReader.open(source)), options, signal);
  }

  /**
   * Runs one call after another. A call that is aborted while it waits ends immediately.
   * @template T
   * @param {AbortSignal} signal
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #inTurn(signal, work) {
    const before = this.#turn;
    const done = until(signal, before).then(work);
    this.#turn = Promise.allSettled([before, done]);
    return done;
  }
}
