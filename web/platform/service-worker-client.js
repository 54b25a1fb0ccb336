/** The service worker as the page sees it. */

import { siteUrl } from "../base/site.js";

/**
 * Contents of the service worker's caches: URLs that a device still needs, and bytes.
 * @typedef {{ missing: string[], shell: number, runtime: number }} Kept
 */

const SCRIPT = siteUrl("sw.js");

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

  async register() {
    const container = navigator.serviceWorker;
    if (!container) return;
    let before = container.controller;
    container.addEventListener("controllerchange", () => {
      this.#dispatch(before ? "replaced" : "control");
      before = container.controller;
    });
    container.register(SCRIPT).catch(() => {}); // offline, refused or broken: the page works without
    this.#registration = await container.ready;
    this.#registration.addEventListener("updatefound", () => this.#follow(this.#registration?.installing));
    this.#follow(this.#registration.installing);
    this.#follow(this.#registration.waiting);
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
  #follow(worker) {
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
