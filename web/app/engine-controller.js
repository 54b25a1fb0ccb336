/** Shows the engine's phase in the page's state, from asleep to ready or failed, and starts the engine early. */

import { describe } from "../base/errors.js";

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../engine/protocol.js").Events} Events */
/** @typedef {import("./state.js").EngineState} EngineState */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {import("./store.js").Store<PageState>} PageStore */

export class EngineController {
  #engine;
  #store;
  #settled;
  #isWaiting = false;

  /**
   * @param {EngineClient} engine
   * @param {PageStore} store
   * @param {Promise<void>} settled no worker loads before
   */
  constructor(engine, store, settled) {
    this.#engine = engine;
    this.#store = store;
    this.#settled = settled;
    engine.addEventListener("engine.progress", (event) =>
      this.#progress(/** @type {CustomEvent} */ (event).detail),
    );
    engine.addEventListener("engine.fallback", (event) =>
      this.#set({ fallback: /** @type {CustomEvent} */ (event).detail }),
    );
  }

  /** Starts the engine before it is needed. */
  async warm() {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#set({ error: null });
    try {
      await this.#settled;
      const info = await this.#engine.start();
      this.#set({ phase: "ready", fraction: 1, info });
    } catch (reason) {
      const error = describe(reason);
      if (error.code !== "cancelled") this.#set({ phase: "failed", fraction: 0, info: null, error });
    }
    this.#isWaiting = false;
  }

  /** Ends the engine's workers until it is needed again. */
  sleep() {
    this.#engine.dispose();
    this.#set({ phase: "asleep", fraction: 0, info: null });
  }

  /** @param {Events["engine.progress"]} event */
  #progress({ stage, done, total }) {
    if (stage === "ready") void this.warm();
    else this.#set({ phase: "starting", fraction: total ? done / total : 0 });
  }

  /** @param {Partial<EngineState>} changes */
  #set(changes) {
    this.#store.set({ engine: { ...this.#store.state.engine, ...changes } });
  }
}
