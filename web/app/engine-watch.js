/** Keeps the page's view of the engine true: asleep, starting, ready or failed. */

import { describe } from "./errors.js";

/** @typedef {import("../engine/client.js").EngineClient} EngineClient */
/** @typedef {import("../engine/protocol.js").Events} Events */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {import("../ui/store.js").Store<PageState>} PageStore */

export class EngineWatch {
  #engine;
  #store;
  #waiting = false;

  /**
   * @param {EngineClient} engine
   * @param {PageStore} store
   */
  constructor(engine, store) {
    this.#engine = engine;
    this.#store = store;
    engine.addEventListener("engine.progress", (event) =>
      this.#progress(/** @type {CustomEvent} */ (event).detail),
    );
  }

  /** Start the engine before it is needed. */
  async warm() {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#store.set({ problem: null });
    try {
      const info = await this.#started();
      this.#store.set({ engine: { phase: "ready", fraction: 1, info } });
    } catch (reason) {
      this.#store.set({ engine: { phase: "failed", fraction: 0, info: null }, problem: describe(reason) });
    }
    this.#waiting = false;
  }

  /** A cancel makes every call fail, while the engine goes on starting: ask again. */
  async #started() {
    for (;;) {
      try {
        return await this.#engine.start();
      } catch (reason) {
        if (describe(reason).code !== "cancelled") throw reason;
      }
    }
  }

  /** @param {Events["engine.progress"]} event */
  #progress({ stage, done, total }) {
    const { info } = this.#store.state.engine;
    if (stage === "ready") void this.warm();
    else this.#store.set({ engine: { phase: "starting", fraction: total ? done / total : 0, info } });
  }
}
