/** Loads the list of models, and remembers the chosen one. */

import { describe } from "../base/errors.js";
import { loadModels, loadQuality } from "../platform/models.js";
import { recall, remember } from "../platform/preferences.js";
import { countKilled, limitOf } from "./memory-limits.js";

/** @typedef {import("./state.js").PageState} PageState */

const CHOICE_KEY = "model";

export class ModelController {
  #store;
  #offline;
  #useLess;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("./offline-controller.js").OfflineController} offline
   * @param {() => void} useLess called when this device has run out of memory before
   */
  constructor(store, offline, useLess) {
    this.#store = store;
    this.#offline = offline;
    this.#useLess = useLess;
  }

  /**
   * Loads the list, those last that this device may not hold, and selects the model of the address, of the last visit, or
   * the first.
   */
  async load() {
    try {
      await countKilled().catch(() => {}); // the list does not depend on it
      const { models: all, catalogue } = await loadModels();
      const limits = Object.fromEntries(all.map((model) => [model.id, limitOf(model)]));
      const models = all.toSorted((a, b) => Number(limits[a.id] !== null) - Number(limits[b.id] !== null));
      const id = new URLSearchParams(location.search).get("model") ?? recall(CHOICE_KEY);
      const model = models.find((each) => each.id === id) ?? models[0];
      this.#store.set({ models, limits, catalogue, model, problem: null });
      if (Object.values(limits).includes("crashes")) this.#useLess();
      void this.#offline.prune(models);
    } catch (reason) {
      this.#store.set({ problem: describe(reason) });
    }
  }

  /** Loads the figures of quality; when that fails, the next call tries again. */
  async loadQuality() {
    try {
      this.#store.set({ quality: this.#store.state.quality ?? (await loadQuality()) });
    } catch {}
  }

  /** @param {string} id */
  choose(id) {
    remember(CHOICE_KEY, id);
    this.#store.set({ model: this.#store.state.models.find((model) => model.id === id) ?? null });
  }

  /** @param {string} preset */
  choosePreset(preset) {
    this.#store.set({ preset });
  }
}
