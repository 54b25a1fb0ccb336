/** What this browser is known to do on this machine: kept from visit to visit, until the browser changes. */

import { recall, remember } from "../../platform/preferences.js";

/** @typedef {import("../protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../../base/errors.js").ErrorCode} ErrorCode */
/** @typedef {import("../protocol.js").DeviceKnowledge} DeviceKnowledge */
/** @typedef {import("../protocol.js").BenchmarkResult} BenchmarkResult */

const KEY = "devices";
const BROWSER = navigator.userAgent;

export class KnownDevices {
  #known = restore();

  /** @returns {DeviceKnowledge} */
  get known() {
    return this.#known;
  }

  /** Names of the GPUs that have been tried. */
  get gpus() {
    return Object.keys(this.#known.verdicts).filter((name) => name !== "wasm");
  }

  /** A device has given the right answers. @param {EngineInfo} info */
  accept({ adapter, device, fp16 }) {
    this.#judge(adapter ?? device, { right: true, fp16 });
  }

  /**
   * A GPU has failed. The processor is what there is else, and is never given up.
   * @param {string} adapter
   * @param {ErrorCode} code
   */
  reject(adapter, code) {
    this.#judge(adapter, { right: false, code });
    this.#update({ ...this.#known, measured: null }); // against one that is no contender any more
  }

  /**
   * @param {BenchmarkResult[]} trials the fastest first
   * @param {string} runtime
   */
  keep(trials, runtime) {
    const trusted = trials.filter(({ adapter }) => this.#known.verdicts[adapter ?? "wasm"]?.right !== false);
    const gpu = trusted.find(({ adapter }) => adapter)?.adapter ?? null;
    const cores = usableCores();
    this.#update({ ...this.#known, measured: { gpu, cores, runtime, trials: trusted } });
  }

  /** Whether what was measured is still true where this engine runs. @param {EngineInfo} info */
  isMeasured({ adapter, runtime }) {
    const { measured } = this.#known;
    return (
      measured?.cores === usableCores() &&
      measured.runtime === runtime &&
      (!adapter || adapter === measured.gpu)
    );
  }

  /**
   * @param {string} name
   * @param {import("../protocol.js").Verdict} verdict
   */
  #judge(name, verdict) {
    this.#update({ ...this.#known, verdicts: { ...this.#known.verdicts, [name]: verdict } });
  }

  /** @param {DeviceKnowledge} known */
  #update(known) {
    this.#known = known;
    remember(KEY, JSON.stringify({ browser: BROWSER, known }));
  }
}

/** @returns {DeviceKnowledge} */
function restore() {
  const { browser, known } = JSON.parse(recall(KEY) ?? "{}");
  if (browser !== BROWSER) return { verdicts: {}, measured: null };
  return known.measured?.cores === usableCores() ? known : { ...known, measured: null };
}

/** Threads share memory, which only isolated pages may. */
function usableCores() {
  return crossOriginIsolated ? navigator.hardwareConcurrency : 1;
}
