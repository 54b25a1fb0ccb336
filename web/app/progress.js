/** Progress of a separation as one figure, from the press of the button to finished stems. */

/** @typedef {"start" | "download" | "create" | "measure" | "separate"} Phase */

/** All phases, in order. */
const PHASES = /** @type {const} */ (["start", "download", "create", "measure", "separate"]);

/** Seconds of each phase until they are measured. They divide the bar; only measurements give a time left. */
const TYPICAL = { start: 6, download: 20, create: 2, measure: 0.5, separate: 60 };

/** Up to this part of the way to the next mark, progress goes at the measured rate; beyond, it slows down. */
const TRUSTED = 0.8;

/** Weight of the newest measurement in the rate. */
const LEARNING = 0.5;

/**
 * @typedef {object} View
 * @property {Phase} phase
 * @property {number} fraction of the whole
 * @property {number} part fraction of the phase
 * @property {number | null} secondsLeft null until it is measured
 */

export class JobProgress {
  /** @type {Record<Phase, number>} */
  #expected = { ...TYPICAL };
  /** Phases whose time is known. @type {Set<Phase>} */
  #known = new Set(["create", "measure"]);
  /** @type {Phase} */
  #phase = "start";
  #pace;
  #shown = 0;

  /**
   * @param {number} now in seconds
   * @param {Iterable<Phase>} [absent] phases that will not take place
   */
  constructor(now, absent = []) {
    for (const phase of absent) this.expect(phase, 0);
    this.#pace = new Pace(this.#expected.start, now);
  }

  /**
   * Sets the time that a phase will take.
   * @param {Phase} phase
   * @param {number} seconds
   */
  expect(phase, seconds) {
    this.#expected[phase] = seconds;
    this.#known.add(phase);
  }

  /**
   * Leaves out a phase that has not begun.
   * @param {Phase} phase
   */
  skip(phase) {
    if (PHASES.indexOf(phase) > PHASES.indexOf(this.#phase)) this.expect(phase, 0);
  }

  /**
   * Marks a point that is reached. Earlier phases are over, and those without a mark have not taken place.
   * @param {Phase} phase
   * @param {number} done fraction of the phase
   * @param {number} next fraction of the phase at the next mark
   * @param {number} now
   */
  mark(phase, done, next, now) {
    if (phase !== this.#phase) {
      const [from, to] = [PHASES.indexOf(this.#phase), PHASES.indexOf(phase)];
      if (to < from) return;
      for (const skipped of PHASES.slice(from + 1, to)) this.expect(skipped, 0);
      this.#phase = phase;
      this.#pace = new Pace(this.#expected[phase], now);
    }
    this.#pace.mark(done, next, now);
  }

  /**
   * @param {number} [now]
   * @returns {View}
   */
  view(now = performance.now() / 1000) {
    const at = PHASES.indexOf(this.#phase);
    const sum = (/** @type {readonly Phase[]} */ phases) =>
      phases.reduce((total, phase) => total + this.#expected[phase], 0);
    const part = this.#pace.fraction(now);
    const done = sum(PHASES.slice(0, at)) + part * this.#expected[this.#phase];
    this.#shown = Math.max(this.#shown, done / sum(PHASES));
    return { phase: this.#phase, fraction: this.#shown, part, secondsLeft: this.#secondsLeft(at, now) };
  }

  /** @param {number} at @param {number} now */
  #secondsLeft(at, now) {
    const later = PHASES.slice(at + 1);
    const isCertain = this.#pace.measured || this.#known.has(this.#phase);
    if (!isCertain || later.some((phase) => !this.#known.has(phase))) return null;
    return later.reduce((total, phase) => total + this.#expected[phase], this.#pace.secondsLeft(now));
  }
}

/**
 * Interpolates between marks at the measured rate: the bar moves while a long step runs, and never claims the next
 * mark before it is reached. Fractions are of the whole work, times in seconds of any clock.
 */
export class Pace {
  #rate;
  #measured = false;
  #done = 0;
  /** The end, until a mark names a nearer one: a phase may have no marks, such as the start of the engine. */
  #next = 1;
  #since;

  /**
   * @param {number} expected seconds for the whole work
   * @param {number} now
   */
  constructor(expected, now) {
    this.#rate = expected;
    this.#since = now;
  }

  /** True when the rate comes from this work rather than from an expectation. */
  get measured() {
    return this.#measured;
  }

  /**
   * Marks a point that is reached.
   * @param {number} done fraction that is finished
   * @param {number} next fraction at which the next mark is due; `done` if that is unknown
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
   * @returns {number} fraction to show: at least the last mark, below the next one
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
