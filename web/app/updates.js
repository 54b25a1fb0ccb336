/** New versions of the app: they wait until they are asked for, and for every separation to end. */

import { isWriting } from "./export-controller.js";

/** @typedef {import("./state.js").PageState} PageState */

/** Every tab that is at work holds this lock, shared with the others. */
const AT_WORK = "demixer-at-work";

export class Updates {
  #store;
  #worker;
  #offline;
  #asked = false;
  /** @type {(() => void) | null} */ #rest = null;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("../platform/service-worker-client.js").ServiceWorkerClient} worker
   * @param {import("./offline.js").Offline} offline
   */
  constructor(store, worker, offline) {
    this.#store = store;
    this.#worker = worker;
    this.#offline = offline;
    worker.addEventListener("waiting", () => this.#show("waiting"));
    worker.addEventListener("replaced", () => this.#replaced());
    worker.addEventListener("control", () => {
      if (!crossOriginIsolated) this.#show("isolation"); // the service worker gives it to the next page
    });
    store.subscribe((state) => this.#holdLock(atWork(state)));
  }

  /** What the banner's button does. */
  async apply() {
    if (this.#store.state.update !== "waiting") return location.reload();
    this.#show("queued");
    await navigator.locks.request(AT_WORK, async () => {
      await this.#offline.settled;
      if (atWork(this.#store.state)) return this.#show("waiting"); // a new job has begun meanwhile
      this.#asked = true;
      this.#worker.activate();
    });
  }

  /** In another tab, whose request is this one's as well; but songs here are not to be lost for it. */
  #replaced() {
    if (this.#asked || this.#store.state.songs.length === 0) location.reload();
    else this.#show("replaced");
  }

  /** @param {PageState["update"]} update */
  #show(update) {
    this.#store.set({ update });
  }

  /** @param {boolean} busy */
  #holdLock(busy) {
    if (busy === (this.#rest !== null)) return;
    this.#rest?.();
    this.#rest = null;
    if (!busy) return;
    const done = new Promise((resolve) => {
      this.#rest = () => resolve(undefined);
    });
    // Chromium lets a service worker that is asked something while it is to go live on for half a minute or longer.
    const quiet = done.then(() => this.#offline.settled);
    void navigator.locks?.request(AT_WORK, { mode: "shared" }, () => quiet); // none where no separation works either
  }
}

/** @param {PageState} state */
export function atWork(state) {
  return (
    isWriting(state) || state.songs.some(({ status }) => ["decoding", "waiting", "working"].includes(status))
  );
}
