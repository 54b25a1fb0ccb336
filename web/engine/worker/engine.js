/**
 * What the worker does for each request: Python, the runtime and a model, each loaded when first needed.
 */

import { DemixError, messageOf } from "../../base/errors.js";
import { siteUrl } from "../../base/site.js";
import { until } from "../../base/waiting.js";
import { AudioReader } from "../../library/audio-reader.js";
import { JobOutput } from "../../library/job-output.js";
import { obtain } from "../../library/model-store.js";
import { measureRate, timeLayers } from "../devices/benchmark.js";
import { canUseThreads } from "../devices/candidates.js";
import { choose } from "../devices/choice.js";
import { precisionFor } from "../devices/precision.js";
import { Probe, selfTest } from "../devices/self-test.js";
import { Bridge, fetchWheel, loadInterpreter } from "../python.js";
import { WorkerPool } from "./worker-pool.js";

/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../protocol.js").JobRequest} JobRequest */
/** @typedef {import("../protocol.js").Model} Model */
/** @typedef {import("../protocol.js").Settings} Settings */
/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */

/** @typedef {import("../compute/runtime.js").Runtime | WorkerPool} Runtime */
/** @typedef {Awaited<ReturnType<Runtime["open"]>>} Session */
/** @typedef {{ runtime: Runtime, probe: Probe, fp16: boolean }} Compute */
/** @typedef {import("../devices/precision.js").Ability} Ability */
/** @typedef {{ sha256: string, cached: boolean, session: Session }} Loaded */

const MODELS = siteUrl("models/");

/** What a start consists of; the runtime comes up beside Python. */
const STAGES = /** @type {const} */ (["python", "packages", "runtime", "benchmark"]);

export class Engine {
  #emit;
  /** @type {Settings} */ #settings = { device: "auto" };
  /** @type {Set<typeof STAGES[number]>} */ #stagesDone = new Set();
  /** @type {Promise<EngineInfo> | undefined} */ #info;
  /** @type {Promise<Bridge> | undefined} */ #bridge;
  /** @type {Promise<Device[]> | undefined} */ #choice;
  /** @type {Promise<Compute> | undefined} */ #compute;
  /** @type {Ability | null} */ #ability = null;
  /** @type {Loaded | null} */ #loaded = null;
  /** Settles when the last of the calls that wait for their turn is over. @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /** @type {import("../../base/messages.js").Handlers<import("../protocol.js").Calls>} */
  handlers = {
    "engine.start": (settings) => this.#started(settings),
    "device.benchmark": (settings) => this.#benchmark(settings),
    "model.open": ({ model, precision }, signal) =>
      this.#inTurn(signal, () => this.#open(model, precision, signal)),
    "job.run": (request, signal) => this.#inTurn(signal, () => this.#run(request, signal)),
    "analysis.run": (request, signal) => this.#analyse(request, signal),
  };

  /** @param {import("../../base/messages.js").Emit} emit */
  constructor(emit) {
    this.#emit = emit;
  }

  /** @param {Settings} settings */
  #started(settings) {
    if (!this.#compute) {
      this.#settings = settings;
      this.#choice = undefined;
    }
    this.#info ??= this.#start().catch((error) => {
      this.#info = undefined; // the next start may ask for something else
      throw error;
    });
    return this.#info;
  }

  /** @returns {Promise<EngineInfo>} */
  async #start() {
    const [{ runtime, probe, fp16 }] = await Promise.all([this.#runtime(), this.#python()]);
    const gflops = await this.#stage("benchmark", () => measureRate(probe)); // now that nothing else compiles
    this.#emit("engine.progress", { stage: "ready", done: STAGES.length, total: STAGES.length });
    const { kind: device, adapter, workers, threads } = runtime.device;
    const isolated = canUseThreads();
    return { device, adapter, workers, threads, isolated, fp16, gflops, runtime: runtime.version };
  }

  /** Python with our wheel; needs no model runtime, and some families never do. */
  #python() {
    this.#bridge ??= (async () => {
      const wheel = fetchWheel();
      wheel.catch(() => {}); // it fails below
      const interpreter = await this.#stage("python", loadInterpreter);
      return this.#stage("packages", async () => Bridge.load(interpreter, await wheel));
    })();
    return this.#bridge;
  }

  /** @param {Settings} settings @returns {Promise<import("../protocol.js").BenchmarkResult>} */
  async #benchmark(settings) {
    this.#settings = settings;
    const { runtime } = await this.#runtime();
    const { kind: device, adapter, workers, threads } = runtime.device;
    return { device, adapter, workers, threads, seconds: await timeLayers(runtime) };
  }

  /** The best device that computes correctly. */
  #runtime() {
    this.#compute ??= this.#stage("runtime", () => this.#best()).catch((error) => {
      this.#compute = undefined;
      this.#choice = undefined;
      throw error;
    });
    return this.#compute;
  }

  /** @returns {Promise<Compute>} */
  async #best() {
    const [device, next] = await this.#devices();
    try {
      return await this.#load(device);
    } catch (reason) {
      if (!next) throw reason;
      const error = DemixError.wrap(reason, "runtime/start-failed").toData();
      this.#emit("engine.fallback", { from: device, to: next, error });
      return this.#load(next);
    }
  }

  /** @param {Device} device @returns {Promise<Compute>} */
  async #load(device) {
    this.#emit("engine.device", device);
    const runtime = await this.#reach(device);
    const probe = await Probe.open(runtime);
    const before = this.#settings.memory?.selfTests[device.adapter ?? device.kind];
    const { fp16 } = before?.passed ? before : await selfTest(runtime);
    this.#ability = { device: device.kind, fp16 };
    return { runtime, probe, fp16 };
  }

  /** A GPU computes beside whatever runs in this worker; the processor would block it. @param {Device} device */
  async #reach(device) {
    if (device.kind === "wasm") return WorkerPool.load(device, this.#emit);
    const { Runtime } = await import("../compute/runtime.js");
    return Runtime.load(device);
  }

  /**
   * @template T
   * @param {typeof STAGES[number]} stage
   * @param {() => Promise<T>} work
   */
  async #stage(stage, work) {
    this.#emit("engine.progress", { stage, done: this.#stagesDone.size, total: STAGES.length });
    try {
      const result = await work();
      this.#stagesDone.add(stage);
      return result;
    } catch (error) {
      const typed = error instanceof DemixError && error.code.startsWith("runtime/");
      throw typed ? error : new DemixError("runtime/start-failed", messageOf(error));
    }
  }

  /** The ability that the device will probably have, before it has started. @returns {Promise<Ability>} */
  async #expectedAbility() {
    if (this.#ability) return this.#ability;
    const [{ kind: device, adapter, half }] = await this.#devices();
    const before = this.#settings.memory?.selfTests[adapter ?? device];
    return { device, fp16: before?.passed ? before.fp16 : half };
  }

  /** The devices to try, chosen once. */
  #devices() {
    this.#choice ??= choose(this.#settings);
    return this.#choice;
  }

  /**
   * Downloads, verifies and loads a model in the place of the one before: the heap holds one at a time.
   * @param {Model} model
   * @param {string | undefined} precision that of the device, where none is asked for
   * @param {AbortSignal} signal
   */
  async #open(model, precision, signal) {
    const expected = artifactOf(model, precision ?? precisionFor(model, await this.#expectedAbility()));
    if (this.#loaded?.sha256 === expected.sha256) {
      return { bytes: expected.bytes, cached: this.#loaded.cached };
    }
    let found = await this.#obtain(model, expected, signal); // while the runtime comes up
    const { runtime, fp16 } = await until(signal, this.#runtime());
    const ability = { device: runtime.device.kind, fp16 };
    const artifact = artifactOf(model, precision ?? precisionFor(model, ability));
    if (artifact !== expected) found = await this.#obtain(model, artifact, signal);
    const { weights, cached } = found;
    const { bytes, sha256 } = artifact;
    this.#emit("model.progress", { model: model.id, stage: "create", done: 0, total: 1 });
    await this.#loaded?.session.release();
    this.#loaded = null;
    this.#loaded = { sha256, cached, session: await runtime.open(weights) };
    this.#emit("model.progress", { model: model.id, stage: "create", done: 1, total: 1 });
    return { bytes, cached };
  }

  /**
   * @param {Model} model
   * @param {import("../protocol.js").Artifact} artifact
   * @param {AbortSignal} signal
   */
  #obtain({ id: model }, artifact, signal) {
    /** @type {import("../../library/model-store.js").Report} */
    const report = (stage, done, total) => this.#emit("model.progress", { model, stage, done, total });
    /** @param {DemixError} problem */
    const warn = (problem) => this.#emit("model.unkept", problem.toData());
    return obtain(new URL(artifact.path, MODELS), artifact, signal, report, warn);
  }

  /** @param {import("../protocol.js").AnalysisRequest} request @param {AbortSignal} signal */
  async #analyse({ name, source, options }, signal) {
    const bridge = await until(signal, this.#python());
    return bridge.analyse(name, await until(signal, AudioReader.open(source)), options, signal);
  }

  /** @param {JobRequest} request @param {AbortSignal} signal */
  async #run(request, signal) {
    const { job, model, precision } = request;
    const weightless = Object.keys(model.artifacts).length === 0;
    if (!weightless) await this.#open(model, precision, signal);
    const bridge = await until(signal, this.#python());
    const song = await until(signal, AudioReader.open(request.song));
    const output = await JobOutput.open(request, (start, length, stems) =>
      this.#emit("job.chunk", { job, start, length, stems }),
    );
    const session = weightless ? undefined : this.#loaded?.session;
    try {
      signal.throwIfAborted();
      const report = await bridge.run(request, song, output, session, signal, this.#emit);
      await output.finish(report);
      return report;
    } finally {
      await output.close();
    }
  }

  /**
   * Does one thing after another. A call that is aborted while it waits ends at once.
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

/** @param {Model} model @param {string} precision */
function artifactOf({ id, artifacts }, precision) {
  const [artifact] = artifacts[precision] ?? [];
  if (!artifact) throw new DemixError("model/incompatible", `Model ${id} has no weights for ${precision}.`);
  return artifact;
}
