/**
 * Chooses the device that computes: the one that the user selected, else the fastest. Devices are benchmarked once,
 * while the page is idle.
 */

import { pause, until } from "../base/waiting.js";
import { candidates, nameOf, settingsOf } from "../engine/devices/candidates.js";
import { compareDevices } from "../engine/page/comparison.js";
import { recall, remember } from "../platform/preferences.js";
import { isIdle } from "./state.js";

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../engine/page/known-devices.js").KnownDevices} KnownDevices */
/** @typedef {import("./state.js").EngineState} EngineState */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {import("./store.js").Store<PageState>} PageStore */

const KEY = "device-choice";

/** Idle time before a benchmark: a user who has just chosen a song may be about to press the button. */
const CALM_MS = 1500;

/** @type {import("../engine/protocol.js").Settings} */
const AUTO = { device: "auto" };

/** @type {import("../engine/protocol.js").Settings} */
const LEAST = { device: "wasm", workers: 1, threads: 1 };

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
   * @param {() => void} restart called when another device takes over
   */
  constructor(engine, store, devices, restart) {
    this.#engine = engine;
    this.#store = store;
    this.#devices = devices;
    this.#restart = restart;
    const settings = settingsOf(recall(KEY) ?? AUTO.device);
    engine.prefer(settings);
    this.#show({ choice: nameOf(settings) });
    store.subscribe((state) => this.#follow(state));
  }

  /** @param {string} choice */
  choose(choice) {
    remember(KEY, choice);
    this.#measuring?.abort();
    this.#engine.prefer(settingsOf(choice));
    this.#show({ choice, fallback: null });
    this.#restart();
  }

  /** Computes with as little memory as possible, unless the user has chosen a device. */
  useLess() {
    if (this.#store.state.engine.choice !== AUTO.device) return;
    this.#engine.prefer(LEAST);
    this.#show({ choice: nameOf(LEAST) });
  }

  /** Measures only while the page is idle: a device that shares the machine looks slower than it is. @param {PageState} state */
  #follow(state) {
    const { phase, info, measured, choice } = state.engine;
    if (phase !== "ready" || !isIdle(state)) this.#measuring?.abort();
    else if (info && !this.#measuring && measured === null && choice === "auto") void this.#measure(info);
  }

  /** @param {EngineInfo} info */
  async #measure(info) {
    if (this.#devices.isBenchmarked(info)) return this.#show({});
    this.#measuring = new AbortController();
    const { signal } = this.#measuring;
    try {
      await until(signal, pause(CALM_MS));
      const results = await compareDevices(signal);
      const [best] = results;
      if (best) this.#devices.keepBenchmark(results, info.runtime);
      this.#show({ measured: results.length });
      if (best && nameOf(best) !== nameOf(info)) {
        this.#engine.prefer(AUTO);
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
        choices: [AUTO.device, ...names.filter((name) => name !== "webgpu" || gpus.length > 0)],
        ...changes,
      },
    });
  }
}
