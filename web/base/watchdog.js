/**
 * Detects a busy worker that is stuck. A model blocks it for many seconds, on slow machines for minutes, so the limit
 * of silence depends on the machine and the job.
 */

/** Factor by which a silence may exceed earlier ones, or the expected one. */
const SLACK = 4;

/** Ticks in one timeout. They are counted instead of clock time, since a laptop that slept has missed its ticks too. */
const TICKS = 30;

export class Watchdog {
  #timeout;
  #onStuck;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  #silence = 0;
  #longest = 0;
  #expected = 0;

  /** Set during work that has its own timeout, such as a download. */
  paused = false;

  /**
   * @param {number} timeout milliseconds that any silence may last
   * @param {() => void} onStuck called once
   */
  constructor(timeout, onStuck) {
    this.#timeout = timeout;
    this.#onStuck = onStuck;
  }

  /**
   * Starts watching, unless it does already.
   * @param {number} silence milliseconds that are expected
   */
  start(silence) {
    this.expect(silence);
    this.#timer ??= setInterval(() => this.#tick(), this.#timeout / TICKS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#silence = this.#longest = this.#expected = 0;
    this.paused = false;
  }

  /** Expects a silence of this length. @param {number} milliseconds */
  expect(milliseconds) {
    this.#expected = Math.max(this.#expected, milliseconds);
  }

  /** Ends a silence: the worker has sent a message. */
  reset() {
    this.#longest = Math.max(this.#longest, this.#silence);
    this.#silence = 0;
  }

  #tick() {
    if (this.paused) return;
    this.#silence += this.#timeout / TICKS;
    if (this.#silence <= Math.max(this.#timeout, SLACK * this.#longest, SLACK * this.#expected)) return;
    this.stop();
    this.#onStuck();
  }
}
