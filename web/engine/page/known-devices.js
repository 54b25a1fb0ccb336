/** The test results of this machine's devices, kept between visits until the browser or the test changes. */

import { recallRecord, remember } from "../../platform/preferences.js";
import { usableCores } from "../devices/candidates.js";
import { SELF_TEST_VERSION } from "../devices/self-test.js";

/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../../base/errors.js").ErrorCode} ErrorCode */
/** @typedef {import("../protocol.js").DeviceMemory} DeviceMemory */
/** @typedef {import("../protocol.js").BenchmarkResult} BenchmarkResult */
/** @typedef {import("../protocol.js").SelfTestResult} SelfTestResult */

const KEY = "device-memory";
/** The only name of its version that every browser has: compared with an earlier one, never read. */
const BROWSER = navigator.userAgent;

export class KnownDevices {
  #memory = restore();

  /** @returns {DeviceMemory} */
  get memory() {
    return this.#memory;
  }

  /** Names of the GPUs that have been tried. */
  get gpus() {
    return Object.keys(this.#memory.selfTests).filter((name) => name !== "wasm");
  }

  /** Records that a device has passed its self-test. @param {EngineInfo} info */
  accept({ adapter, device, fp16 }) {
    this.#keepSelfTest(adapter ?? device, { passed: true, fp16 });
  }

  /**
   * Records that a GPU has failed. The processor is the last resort, and never rejected.
   * @param {string} adapter
   * @param {ErrorCode} code
   */
  reject(adapter, code) {
    this.#keepSelfTest(adapter, { passed: false, code });
    this.#update({ ...this.#memory, benchmark: null }); // it compared others with this device
  }

  /**
   * @param {BenchmarkResult[]} results the fastest first
   * @param {string} runtime
   */
  keepBenchmark(results, runtime) {
    const usable = results.filter(
      ({ adapter }) => this.#memory.selfTests[adapter ?? "wasm"]?.passed !== false,
    );
    const gpu = usable.find(({ adapter }) => adapter)?.adapter ?? null;
    this.#update({ ...this.#memory, benchmark: { gpu, cores: usableCores(), runtime, results: usable } });
  }

  /** True when the benchmark covers the devices and the runtime of this engine. @param {EngineInfo} info */
  isBenchmarked({ adapter, runtime }) {
    const { benchmark } = this.#memory;
    return (
      benchmark?.cores === usableCores() &&
      benchmark.runtime === runtime &&
      (!adapter || adapter === benchmark.gpu)
    );
  }

  /**
   * @param {string} name
   * @param {SelfTestResult} result
   */
  #keepSelfTest(name, result) {
    this.#update({ ...this.#memory, selfTests: { ...this.#memory.selfTests, [name]: result } });
  }

  /** @param {DeviceMemory} memory */
  #update(memory) {
    this.#memory = memory;
    remember(KEY, JSON.stringify({ browser: BROWSER, test: SELF_TEST_VERSION, memory }));
  }
}

/** @returns {DeviceMemory} */
function restore() {
  const { browser, test, memory } = recallRecord(KEY);
  if (browser !== BROWSER || test !== SELF_TEST_VERSION || !memory) return { selfTests: {}, benchmark: null };
  return memory.benchmark?.cores === usableCores() ? memory : { ...memory, benchmark: null };
}
