/**
 * Starts Python and the model runtime in parallel, each once and on first use.
 */

import { loaded, startError } from "../../base/loading.js";
import { measureRate, timeLayers } from "../devices/benchmark.js";
import { isolation } from "../devices/candidates.js";
import { choose } from "../devices/choice.js";
import { isFault } from "../devices/fallback.js";
import { Probe, selfTest } from "../devices/self-test.js";
import { loadBridge } from "../python.js";
import { WorkerPool } from "./worker-pool.js";

/** @typedef {import("../devices/precision.js").Ability} Ability */
/** @typedef {import("../protocol.js").BenchmarkResult} BenchmarkResult */
/** @typedef {import("../protocol.js").Device} Device */
/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../protocol.js").Settings} Settings */
/** @typedef {import("../python.js").Bridge} Bridge */

/** @typedef {import("../compute/runtime.js").Runtime | WorkerPool} Runtime */
/** @typedef {Awaited<ReturnType<Runtime["open"]>>} Session */
/** @typedef {{ runtime: Runtime, probe: Probe, ability: Ability }} Compute a device that has passed its self-test */

const STAGES = /** @type {const} */ (["python", "packages", "runtime", "benchmark"]);

export class Startup {
  #emit;
  /** @type {Settings} */ #settings = { device: "auto" };
  /** @type {Set<typeof STAGES[number]>} */ #done = new Set();
  /** @type {Promise<EngineInfo> | undefined} */ #info;
  /** @type {Promise<Device[]> | undefined} */ #devices;
  /** @type {Promise<Compute> | undefined} */ #compute;
  /** @type {Ability | null} */ #ability = null;

  /** @param {import("../../base/messages.js").Emit<import("../protocol.js").Events>} emit */
  constructor(emit) {
    this.#emit = emit;
  }

  /** @param {Settings} settings @returns {Promise<EngineInfo>} */
  start(settings) {
    if (!this.#compute) {
      this.#settings = settings;
      this.#devices = undefined;
    }
    this.#info ??= this.#start().catch((error) => {
      this.#info = undefined; // the next start may have other settings
      throw error;
    });
    return this.#info;
  }

  /** @param {Settings} settings @returns {Promise<BenchmarkResult>} */
  async benchmark(settings) {
    this.#settings = settings;
    const { runtime } = await this.compute();
    const { kind: device, adapter, workers, threads } = runtime.device;
    return { device, adapter, workers, threads, seconds: await timeLayers(runtime) };
  }

  /** Python with our wheel, which needs no model runtime. @returns {Promise<Bridge>} */
  python() {
    return loadBridge((stage, work) => this.#stage(stage, work));
  }

  /** The best device that computes correctly. @returns {Promise<Compute>} */
  compute() {
    this.#compute ??= this.#stage("runtime", () => this.#loadBest()).catch((error) => {
      this.#compute = undefined;
      this.#devices = undefined;
      throw error;
    });
    return this.#compute;
  }

  /** The ability of the device, or the likely one before it has started. @returns {Promise<Ability>} */
  async expectedAbility() {
    if (this.#ability) return this.#ability;
    const [device] = await this.#chosen();
    const before = this.#earlierTest(device);
    return { device: device.kind, fp16: device.half && (before?.passed ? before.fp16 : true) };
  }

  /** @returns {Promise<EngineInfo>} */
  async #start() {
    const [{ runtime, probe, ability }] = await Promise.all([this.compute(), this.python()]);
    const gflops = await this.#stage("benchmark", () => measureRate(probe)); // now that nothing else compiles
    this.#emit("engine.progress", { stage: "ready", done: STAGES.length, total: STAGES.length });
    const { kind: device, adapter, workers, threads } = runtime.device;
    const { fp16 } = ability;
    const { version } = runtime;
    return { device, adapter, workers, threads, isolation: isolation(), fp16, gflops, runtime: version };
  }

  /** The devices to try, chosen once: asking for a GPU adapter takes a while. */
  #chosen() {
    this.#devices ??= choose(this.#settings);
    return this.#devices;
  }

  /** @returns {Promise<Compute>} */
  async #loadBest() {
    const [device, next] = await this.#chosen();
    try {
      return await this.#load(device);
    } catch (reason) {
      const error = startError(reason);
      if (!next || !isFault(error)) throw error;
      this.#emit("engine.fallback", { from: device, to: next, error: error.toData() });
      return this.#load(next);
    }
  }

  /** @param {Device} device @returns {Promise<Compute>} */
  async #load(device) {
    this.#emit("engine.device", device);
    const runtime = await loadRuntime(device);
    try {
      const probe = await Probe.open(runtime);
      const before = this.#earlierTest(device);
      // A browser can hide float16 at one start and offer it at the next.
      const applies = before?.passed && before.fp16 === device.half;
      const { fp16 } = applies ? before : await selfTest(runtime);
      this.#ability = { device: device.kind, fp16 };
      return { runtime, probe, ability: this.#ability };
    } catch (error) {
      await runtime.close();
      throw error;
    }
  }

  /** @param {Device} device */
  #earlierTest({ adapter, kind }) {
    return this.#settings.memory?.selfTests[adapter ?? kind];
  }

  /**
   * @template T
   * @param {typeof STAGES[number]} stage
   * @param {() => Promise<T>} work
   */
  async #stage(stage, work) {
    this.#emit("engine.progress", { stage, done: this.#done.size, total: STAGES.length });
    try {
      const result = await work();
      this.#done.add(stage);
      return result;
    } catch (error) {
      throw startError(error);
    }
  }
}

/** Loads the runtime: in this worker for a GPU, which does not block it; in compute workers for the processor. @param {Device} device */
async function loadRuntime(device) {
  if (device.kind === "wasm") return WorkerPool.load(device);
  const { Runtime } = await loaded(import("../compute/runtime.js"));
  return Runtime.load(device);
}
