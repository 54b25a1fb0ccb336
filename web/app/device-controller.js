/** Which device computes: what the person wants, else what is measured to be best while nothing else is to be done. */

import { candidates, nameOf, settingsOf } from "../engine/devices/candidates.js";
import { compareDevices } from "../engine/page/comparison.js";
import { recall, remember } from "../platform/preferences.js";

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../engine/devices/known-devices.js").KnownDevices} KnownDevices */
/** @typedef {import("./state.js").EngineState} EngineState */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {import("./store.js").Store<PageState>} PageStore */

const KEY = "device-choice";

/** Whoever has just chosen a song may be about to press the button. */
const CALM_MS = 1500;

export class DeviceController {
  #engine;
  #store;
  #devices;
  #restart;
  /** @type {AbortController | null} */ #measuring = null;

  /**
   * @param {EngineClient} engine
   * @param {PageStore} store
   * @param {KnownDevices} devices
   * @param {() => void} restart is called when another device is to be used
   */
  constructor(engine, store, devices, restart) {
    this.#engine = engine;
    this.#store = store;
    this.#devices = devices;
    this.#restart = restart;
    const choice = recall(KEY) ?? "auto";
    engine.prefer(settingsOf(choice));
    this.#show({ choice });
    store.subscribe((state) => this.#consider(state));
  }

  /** @param {string} choice */
  choose(choice) {
    remember(KEY, choice);
    this.#measuring?.abort();
    this.#engine.prefer(settingsOf(choice));
    this.#show({ choice, fallback: null });
    this.#restart();
  }

  /** @param {PageState} state */
  #consider({ engine, songs }) {
    const idle = songs.every(({ status }) => status === "ready" || status === "done" || status === "failed");
    if (!idle || engine.phase !== "ready") this.#measuring?.abort();
    else if (engine.info && !this.#measuring && engine.measured === null && engine.choice === "auto") {
      void this.#measure(engine.info);
    }
  }

  /** @param {EngineInfo} info */
  async #measure(info) {
    if (this.#devices.isBenchmarked(info)) return this.#show({});
    this.#measuring = new AbortController();
    const { signal } = this.#measuring;
    try {
      await calm(signal);
      const results = await compareDevices(signal);
      const [best] = results;
      if (best) this.#devices.keepBenchmark(results, info.runtime);
      this.#show({ measured: results.length });
      if (best && nameOf(best) !== nameOf(info)) {
        this.#engine.prefer(settingsOf("auto"));
        this.#restart();
      }
    } catch (reason) {
      if (!signal.aborted) throw reason;
    } finally {
      this.#measuring = null;
    }
  }

  /** @param {Partial<EngineState>} changes */
  #show(changes) {
    const { engine } = this.#store.state;
    const { memory, gpus } = this.#devices;
    const measured = engine.info && this.#devices.isBenchmarked(engine.info);
    const names = candidates().map(nameOf);
    this.#store.set({
      engine: {
        ...engine,
        measured: measured ? (memory.benchmark?.results.length ?? 0) : null,
        choices: ["auto", ...names.filter((name) => name !== "webgpu" || gpus.length > 0)],
        ...changes,
      },
    });
  }
}

/** @param {AbortSignal} signal */
function calm(signal) {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, CALM_MS);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
