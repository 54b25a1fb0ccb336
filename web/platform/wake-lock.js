/** Keeps the screen on: a device that falls asleep stops computing. */

export class WakeLock {
  #wanted = false;
  /** @type {Promise<WakeLockSentinel | null> | null} */
  #lock = null;

  constructor() {
    // Browsers let go of it whenever the page is hidden.
    document.addEventListener("visibilitychange", () => {
      this.#lock = null;
      this.hold(this.#wanted);
    });
  }

  /** @param {boolean} wanted */
  hold(wanted) {
    this.#wanted = wanted;
    if (wanted && !document.hidden) this.#lock ??= request();
    if (wanted || !this.#lock) return;
    void this.#lock.then((lock) => lock?.release());
    this.#lock = null;
  }
}

/** Nothing where the browser refuses, as it does when the battery is low. */
async function request() {
  try {
    return (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    return null;
  }
}
