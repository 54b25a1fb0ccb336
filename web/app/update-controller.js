/** Installs a new version of the app on request, once all work has ended. */

import { isAtWork } from "./state.js";

/** @typedef {import("./state.js").PageState} PageState */

/** Shared lock, held by every tab that is at work. */
const AT_WORK = "demixer-at-work";

export class UpdateController {
  #store;
  #worker;
  #offline;
  #isApplying = false;
  /** @type {(() => void) | null} */ #release = null;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("../platform/service-worker-client.js").ServiceWorkerClient} worker
   * @param {import("./offline-controller.js").OfflineController} offline
   */
  constructor(store, worker, offline) {
    this.#store = store;
    this.#worker = worker;
    this.#offline = offline;
    worker.addEventListener("waiting", () => this.#show("waiting"));
    worker.addEventListener("replaced", () => this.#replaced());
    worker.addEventListener("control", () => {
      if (!crossOriginIsolated) this.#show("isolation"); // the service worker isolates the next page
    });
    store.subscribe((state) => this.#holdLock(isAtWork(state)));
  }

  /** Installs the version that waits, or reloads the page for one that is installed. */
  async apply() {
    if (this.#store.state.update !== "waiting") return location.reload();
    this.#show("queued");
    await navigator.locks.request(AT_WORK, async () => {
      await this.#offline.settled;
      if (isAtWork(this.#store.state)) return this.#show("waiting"); // new work has begun meanwhile
      this.#isApplying = true;
      this.#worker.activate();
    });
  }

  /** Follows an update in another tab; when a reload would lose songs, the user decides. */
  #replaced() {
    if (this.#isApplying || this.#store.state.songs.length === 0) location.reload();
    else this.#show("replaced");
  }

  /** @param {PageState["update"]} update */
  #show(update) {
    this.#store.set({ update });
  }

  /** @param {boolean} busy */
  #holdLock(busy) {
    if (busy === (this.#release !== null)) return;
    this.#release?.();
    this.#release = null;
    if (!busy) return;
    const done = new Promise((resolve) => {
      this.#release = () => resolve(undefined);
    });
    // A request during its replacement keeps a service worker alive for half a minute in Chromium.
    const quiet = done.then(() => this.#offline.settled);
    void navigator.locks?.request(AT_WORK, { mode: "shared" }, () => quiet); // without locks nothing separates either
  }
}
