/** Progress of a separation, from the press of the button to finished stems, as one figure. */

import { Pace } from "./pace.js";

/** @typedef {"start" | "download" | "create" | "measure" | "separate"} Phase */

/** The phases in their order. */
const PHASES = /** @type {const} */ (["start", "download", "create", "measure", "separate"]);

/** Seconds of each phase until something better is known. They share out the bar; only measurements give a time left. */
const TYPICAL = { start: 6, download: 20, create: 2, measure: 0.5, separate: 60 };

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
  /** @type {Set<Phase>} */
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
   * @param {number} now
   * @returns {View}
   */
  view(now) {
    const at = PHASES.indexOf(this.#phase);
    const sum = (/** @type {readonly Phase[]} */ phases) =>
      phases.reduce((total, phase) => total + this.#expected[phase], 0);
    const before = sum(PHASES.slice(0, at));
    const whole = sum(PHASES);
    const part = this.#pace.fraction(now);
    this.#shown = Math.max(this.#shown, (before + part * this.#expected[this.#phase]) / whole);
    return { phase: this.#phase, fraction: this.#shown, part, secondsLeft: this.#secondsLeft(at, now) };
  }

  /** @param {number} at @param {number} now */
  #secondsLeft(at, now) {
    const later = PHASES.slice(at + 1);
    const certain = this.#pace.measured || this.#known.has(this.#phase);
    if (!certain || later.some((phase) => !this.#known.has(phase))) return null;
    return later.reduce((total, phase) => total + this.#expected[phase], this.#pace.secondsLeft(now));
  }
}
