/** How far a piece of work is between two true marks. */

/** Up to this part of the way to the next mark the estimate is taken at its word; then it only creeps. */
const TRUSTED = 0.8;

/** How much of the newest measurement goes into the rate. */
const LEARNING = 0.5;

/**
 * Interpolates progress at the measured rate, so that a bar moves while a long step runs, and never claims
 * the next mark before it is reached. Fractions are of the whole work, times in seconds of any clock.
 */
export class Pace {
  #rate;
  #measured = false;
  #done = 0;
  #next = 0;
  #since;

  /**
   * @param {number} expected seconds that the whole work is expected to take
   * @param {number} now
   */
  constructor(expected, now) {
    this.#rate = expected;
    this.#since = now;
  }

  /** Whether the rate comes from this very work rather than from an expectation. */
  get measured() {
    return this.#measured;
  }

  /**
   * A true mark.
   * @param {number} done fraction that is finished
   * @param {number} next fraction at which the next mark is due; the same as `done` if that is unknown
   * @param {number} now
   */
  mark(done, next, now) {
    if (done > this.#done) {
      const rate = (now - this.#since) / (done - this.#done);
      this.#rate = this.#measured ? this.#rate + LEARNING * (rate - this.#rate) : rate;
      this.#measured = true;
      this.#since = now;
      this.#done = done;
    }
    this.#next = Math.max(next, this.#done);
  }

  /**
   * @param {number} now
   * @returns {number} fraction to show: at least the last true mark, below the next one
   */
  fraction(now) {
    const step = this.#next - this.#done;
    const expected = step * this.#rate;
    if (expected <= 0) return this.#done;
    return this.#done + step * approach((now - this.#since) / expected);
  }

  /**
   * @param {number} now
   * @returns {number} seconds until the end at the present rate
   */
  secondsLeft(now) {
    return (1 - this.fraction(now)) * this.#rate;
  }
}

/**
 * Rises like its argument, then ever slower, and stays below one.
 * @param {number} part elapsed time over expected time
 */
function approach(part) {
  if (part <= TRUSTED) return Math.max(part, 0);
  const room = 1 - TRUSTED;
  return 1 - room / (1 + (part - TRUSTED) / room);
}
