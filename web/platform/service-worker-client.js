/** The service worker as the page sees it. */

import { siteUrl } from "../base/site.js";
import { pause } from "../base/waiting.js";

/**
 * Contents of the service worker's caches: URLs that a device still needs, and bytes.
 * @typedef {{ missing: string[], shell: number, runtime: number }} Kept
 */

const SCRIPT = siteUrl("sw.js");

/** Time that a first visit gives the service worker to take control. */
const CONTROL_MS = 5_000;

/**
 * Dispatches `control` when the first one controls the page, `waiting` when a new version could replace it,
 * and `replaced` when one has.
 */
export class ServiceWorkerClient extends EventTarget {
  /** @type {ServiceWorkerRegistration | null} */ #registration = null;

  /** True when a service worker controls the page. */
  get controls() {
    return Boolean(navigator.serviceWorker?.controller);
  }

  /**
   * @returns {Promise<void>} resolves when no service worker is about to take control: Firefox may lose the requests of
   *   a worker that loads meanwhile, which then waits for ever
   */
  async register() {
    const container = navigator.serviceWorker;
    if (!container) return;
    let before = container.controller;
    container.addEventListener("controllerchange", () => {
      this.#dispatch(before ? "replaced" : "control");
      before = container.controller;
    });
    void this.#follow(container.ready);
    const registering = container.register(SCRIPT);
    if (before) return void registering.catch(() => {}); // offline
    // Refused or broken: the page works without.
    await Promise.race([registering.then(activation), pause(CONTROL_MS)]).catch(() => {});
  }

  /** @param {Promise<ServiceWorkerRegistration>} ready */
  async #follow(ready) {
    this.#registration = await ready;
    this.#registration.addEventListener("updatefound", () => this.#watch(this.#registration?.installing));
    this.#watch(this.#registration.installing);
    this.#watch(this.#registration.waiting);
  }

  /** Activates the waiting version; `replaced` follows. */
  activate() {
    this.#registration?.waiting?.postMessage({ type: "SKIP_WAITING" });
  }

  /**
   * @param {string} device
   * @returns {Promise<Kept | null>} null when no service worker controls the page, or it is replaced meanwhile
   */
  async kept(device) {
    const worker = navigator.serviceWorker?.controller;
    if (!worker) return null;
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve) => {
      const finish = (/** @type {Kept | null} */ kept) => {
        worker.removeEventListener("statechange", onStateChange);
        port1.close();
        resolve(kept);
      };
      // A service worker that is replaced before it replies never will.
      const onStateChange = () => worker.state === "redundant" && finish(null);
      worker.addEventListener("statechange", onStateChange);
      port1.onmessage = ({ data }) => finish(data);
      worker.postMessage({ type: "KEPT", device }, [port2]);
    });
  }

  /** @param {ServiceWorker | null | undefined} worker */
  #watch(worker) {
    const look = () => {
      if (worker?.state === "installed" && this.#registration?.active) this.#dispatch("waiting");
    };
    worker?.addEventListener("statechange", look);
    look();
  }

  /** @param {string} type */
  #dispatch(type) {
    this.dispatchEvent(new Event(type));
  }
}

/**
 * @param {ServiceWorkerRegistration} registration
 * @returns {Promise<void>} resolves when its newest service worker has been activated, and has claimed the page, or given
 *   up
 */
function activation({ installing, waiting, active }) {
  const worker = installing ?? waiting ?? active;
  return new Promise((resolve) => {
    const look = () => {
      if (!worker || worker.state === "activated" || worker.state === "redundant") resolve();
    };
    worker?.addEventListener("statechange", look);
    look();
  });
}
