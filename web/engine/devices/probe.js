/**
 * How fast a device is, and whether it computes at all: a graph made for it by `models/testing/make.py`, a chain
 * of products with a matrix that undoes itself, so that the output is the input.
 */

import { graph, waves } from "./graphs.js";
import { wrongNumbers } from "./self-test.js";

export const PROBE = Object.freeze({ rows: 1024, size: 256, products: 16 });

const OPERATIONS = 2 * PROBE.products * PROBE.rows * PROBE.size ** 2;
const RUNS = 3;
const ENOUGH_MS = 500;
const TOLERANCE = 1e-3;

/** The probe on one device. Its session stays open: a GPU device is destroyed with its last session. */
export class Probe {
  #session;
  #fastest = Number.POSITIVE_INFINITY;

  /** @param {import("../worker/engine.js").Session} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * Loads the probe, which starts the device, and sees whether it computes the known answer.
   * @param {import("../worker/engine.js").Runtime} runtime
   */
  static async load(runtime) {
    const probe = new Probe(await runtime.open(await graph("probe")));
    if (!(await probe.#run())) throw wrongNumbers();
    return probe;
  }

  /** The device's rate of matrix products, in 1e9 operations a second. */
  async rate() {
    for (let run = 0; run < RUNS && this.#fastest < ENOUGH_MS; run++) await this.#run();
    return OPERATIONS / this.#fastest / 1e6;
  }

  /** @returns {Promise<boolean>} whether the answer is right */
  async #run() {
    const input = waves("x", [PROBE.rows, PROBE.size]);
    const expected = input.data.slice(); // the session may take the input over
    const begin = performance.now();
    const [output] = await this.#session.run([input]);
    this.#fastest = Math.min(this.#fastest, performance.now() - begin);
    return expected.every((value, index) => Math.abs(output.data[index] - value) < TOLERANCE);
  }
}
