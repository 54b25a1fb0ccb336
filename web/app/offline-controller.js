/** Prepares the page for working offline, and reports it as ready once the model needs nothing from the network. */

import { describe } from "../base/errors.js";
import { until } from "../base/waiting.js";
import { downloadOf, precisionFor, precisionsFor } from "../engine/devices/precision.js";
import { forget, forgetOthers, isKept, obtain } from "../library/model-store.js";
import { space } from "../library/space.js";
import { fetchCheck } from "../platform/check-song.js";
import { modelUrl } from "../platform/models.js";
import { forget as forgetPreference, recall, remember } from "../platform/preferences.js";
import { dropEverything, dropRuntime, dropShell } from "../platform/storage.js";

/** @typedef {import("../engine/protocol.js").Artifact} Artifact */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("./state.js").PageState} PageState */

/** Preference with the device that the engine used last: it decides which runtime is needed. */
const DEVICE_KEY = "device-used";

export class OfflineController {
  #store;
  #worker;
  #engine;
  #stop = new AbortController();
  #filling = new AbortController();
  #settled = Promise.resolve();

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("../platform/service-worker-client.js").ServiceWorkerClient} worker
   * @param {import("../engine/page/client.js").EngineClient} engine
   */
  constructor(store, worker, engine) {
    this.#store = store;
    this.#worker = worker;
    this.#engine = engine;
    worker.addEventListener("control", () => this.settle());
    let seen = this.#facts(store.state);
    store.subscribe((state) => {
      const facts = this.#facts(state);
      if (facts === seen) return;
      seen = facts;
      this.settle();
    });
  }

  /** Resolves when no request to the service worker is pending. */
  get settled() {
    return this.#settled;
  }

  /** Fetches the missing files of the device that was used last, then updates the readiness. */
  settle() {
    const { info } = this.#store.state.engine;
    if (info) remember(DEVICE_KEY, info.device);
    const complete = async () => {
      const { signal } = this.#filling;
      if (recall(DEVICE_KEY)) await this.#fetchMissing(signal, () => {}).catch(() => {}); // offline: the readiness shows it
      await this.check();
    };
    this.#settled = this.#settled.then(complete).catch((reason) => this.warn(reason)); // later ones wait for it
  }

  /** Updates readiness and storage in the state. */
  async check() {
    const { models, model, offline } = this.#store.state;
    if (offline.phase === "preparing") return;
    const device = recall(DEVICE_KEY);
    const kept = await this.#worker.kept(device ?? "");
    /** @type {Model[]} */
    const keptModels = [];
    for (const each of models) if (await hasWeights(each, device)) keptModels.push(each);
    const ready = device && kept?.missing.length === 0 && model && keptModels.includes(model);
    const { shell = 0, runtime = 0 } = kept ?? {};
    this.#store.set({
      offline: { phase: !kept ? "impossible" : ready ? "ready" : "possible", fraction: 0 },
      storage: { shell, runtime, models: keptModels.map(({ id }) => id), ...(await space()) },
    });
  }

  /**
   * Fetches all that a model needs.
   * @param {Model | null} model
   */
  async prepare(model = this.#store.state.model) {
    if (!model) return;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const share = model.artifacts.default ? 0.5 : 1;
    const show = (/** @type {number} */ fraction) =>
      this.#store.set({ offline: { phase: "preparing", fraction } });
    /** @type {import("../library/model-store.js").Report} */
    const report = (stage, done, total) => stage === "download" && show(share + (1 - share) * (done / total));
    show(0);
    try {
      const info = await until(signal, this.#engine.start());
      remember(DEVICE_KEY, info.device);
      await this.#fetchMissing(signal, (fraction) => show(fraction * share));
      for (const weights of downloadOf(model, info))
        await obtain(modelUrl(weights), weights, signal, report, (problem) => this.warn(problem));
      await until(signal, fetchCheck(model, precisionFor(model, info)));
      await until(signal, this.#settled); // the start of the engine fetches the same files
    } catch (reason) {
      if (!signal.aborted) this.warn(reason);
    }
    this.#store.set({ offline: { phase: "possible", fraction: 0 } });
    await this.check();
  }

  cancel() {
    this.#stop.abort();
  }

  /** @param {unknown} reason */
  warn(reason) {
    this.#store.set({ problem: { ...describe(reason), retryable: false } });
  }

  /** Removes weights that the site no longer offers; the next visit tries again after a failure. @param {Model[]} models of the site */
  prune(models) {
    return forgetOthers(models.flatMap(({ artifacts }) => Object.values(artifacts).flat())).catch(() => {});
  }

  /** @param {string} what "shell", "runtime", "everything" or the id of a model; anything else is ignored */
  async remove(what) {
    const model = this.#store.state.models.find(({ id }) => id === what);
    if (what === "runtime" || what === "everything") await this.#stopFilling();
    if (model) await Promise.all(Object.values(model.artifacts).flat().map(forget));
    else if (what === "shell") await dropShell();
    else if (what === "runtime") await dropRuntime();
    else if (what === "everything") await dropEverything();
    await this.check();
  }

  /** The engine's files are not fetched again before it is used again. */
  async #stopFilling() {
    forgetPreference(DEVICE_KEY);
    this.#filling.abort();
    this.#filling = new AbortController();
    await this.#settled;
  }

  /**
   * Fetches the files that the service worker lacks; it keeps every file that passes through it.
   * @param {AbortSignal} signal
   * @param {(fraction: number) => void} report
   */
  async #fetchMissing(signal, report) {
    const missing = (await this.#worker.kept(recall(DEVICE_KEY) ?? ""))?.missing ?? [];
    for (const [index, url] of missing.entries()) {
      report(index / missing.length);
      await (await fetch(url, { signal })).arrayBuffer();
    }
  }

  /** Facts on which readiness depends. @param {PageState} state */
  #facts({ models, model, engine, songs }) {
    const finished = songs.filter(({ status }) => status === "done").length;
    return [models.length, model?.id, engine.info?.device, finished].join();
  }
}

/** @param {Model} model @param {string | null} device */
async function hasWeights(model, device) {
  const { artifacts } = model;
  const precisions = precisionsFor(model, device === "webgpu" ? device : "wasm");
  for (const precision of precisions) {
    const kept = await Promise.all(artifacts[precision].map(isKept));
    if (!kept.includes(false)) return true;
  }
  return precisions.length === 0;
}
