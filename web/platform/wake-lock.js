/** Keeps the screen on, since a device that falls asleep stops computing. */

export class WakeLock {
  #isWanted = false;
  /** @type {Promise<WakeLockSentinel | null> | null} */
  #lock = null;

  constructor() {
    // Browsers release the lock when the page is hidden.
    document.addEventListener("visibilitychange", () => {
      this.#lock = null;
      this.hold(this.#isWanted);
    });
  }

  /** @param {boolean} wanted */
  hold(wanted) {
    this.#isWanted = wanted;
    if (wanted && !document.hidden) this.#lock ??= request();
    if (wanted || !this.#lock) return;
    void this.#lock.then((lock) => lock?.release());
    this.#lock = null;
  }
}

/** @returns {Promise<WakeLockSentinel | null>} null when the browser refuses, as it does on a low battery */
async function request() {
  try {
    return (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    return null;
  }
}
