/**
 * Notices when a worker that should work has fallen silent. A model blocks it for many seconds, on slow machines for
 * minutes, so that silence counts by what this worker and this job are used to.
 */

/** What a silence may exceed that ended well, or that was expected. */
const SLACK = 4;

/** Looks in one patience. They are counted, and not the clock: a laptop that slept has missed its looks as well. */
const LOOKS = 30;

export class Watchdog {
  #patience;
  #bark;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  #silence = 0;
  #longest = 0;
  #expected = 0;

  /** Whoever works on this reports by itself when it fails: a download, say. */
  asleep = false;

  /**
   * @param {number} patience milliseconds that any silence may last
   * @param {() => void} bark is called once
   */
  constructor(patience, bark) {
    this.#patience = patience;
    this.#bark = bark;
  }

  /**
   * Work is under way from now on.
   * @param {number} silence milliseconds of it that are expected
   */
  watch(silence) {
    this.expect(silence);
    this.#timer ??= setInterval(() => this.#look(), this.#patience / LOOKS);
  }

  /** There is no work. */
  rest() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#silence = this.#longest = this.#expected = 0;
    this.asleep = false;
  }

  /** Something is to take so long in silence. @param {number} milliseconds */
  expect(milliseconds) {
    this.#expected = Math.max(this.#expected, milliseconds);
  }

  /** The worker has said something. */
  hear() {
    this.#longest = Math.max(this.#longest, this.#silence);
    this.#silence = 0;
  }

  #look() {
    if (this.asleep) return;
    this.#silence += this.#patience / LOOKS;
    if (this.#silence <= Math.max(this.#patience, SLACK * this.#longest, SLACK * this.#expected)) return;
    this.rest();
    this.#bark();
  }
}
