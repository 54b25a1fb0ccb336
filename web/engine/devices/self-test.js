/**
 * Tests that a device computes correctly, by questions with known answers: graphs made by `models/testing/make.py`.
 *
 * The probe is a chain of products with a matrix that is its own inverse, so the output is the input. The
 * question consists of the operators of the real models, in a form for each precision with the same answer.
 */

import { DemixError } from "../../base/errors.js";
import { fetchPart } from "../../base/loading.js";

/** @typedef {import("../worker/startup.js").Runtime} Runtime */
/** @typedef {import("../worker/startup.js").Session} Session */

const FOLDER = "models/testing/";

export const PROBE = Object.freeze({ rows: 1024, size: 256, products: 16 });

/** Raised when a question changes: devices that have passed an earlier one are tested again. */
export const SELF_TEST_VERSION = 2;

const QUESTION_SHAPE = [1, 2, 2, 4608];

/**
 * Largest error of an answer, which is as large as 4, by precision. Rounding gives 1e-4 in float32, 3e-3 in eight bits
 * and 3e-2 in float16; errors of faults are unbounded.
 */
const TOLERANCES = Object.freeze({ fp32: 1e-3, default: 0.05, fp16: 0.1 });

/** The probe on one device. Its session stays open: a GPU device is destroyed with its last session. */
export class Probe {
  #session;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * Loads the probe, which starts the device, and checks its answer.
   * @param {Runtime} runtime
   * @throws {DemixError} when the device computes wrong numbers
   */
  static async open(runtime) {
    const probe = new Probe(await runtime.open(await graph("probe")));
    const { input, output } = await probe.run();
    if (!isClose(output, input, TOLERANCES.fp32)) throw wrongNumbers();
    return probe;
  }

  /** Runs once, and measures how long it takes. */
  async run() {
    const tensor = waves("x", [PROBE.rows, PROBE.size]);
    const input = tensor.data.slice(); // the session may take the tensor over
    const begin = performance.now();
    const [output] = await this.#session.run([tensor]);
    return { input, output: output.data, milliseconds: performance.now() - begin };
  }
}

/**
 * @param {Runtime} runtime on a device that has been started
 * @returns {Promise<{ fp16: boolean }>} `fp16` when it computes correctly in float16 too
 * @throws {DemixError} when it computes wrong numbers
 */
export async function selfTest(runtime) {
  const { kind, half } = runtime.device;
  /** @type {number[]} */
  const expected = await (await fetchPart(`${FOLDER}answer.json`)).json();
  if (!(await answers(runtime, kind === "wasm" ? "default" : "fp32", expected))) throw wrongNumbers();
  return { fp16: half && (await answers(runtime, "fp16", expected).catch(refused)) };
}

/** @param {string} name @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function graph(name) {
  return new Uint8Array(await (await fetchPart(`${FOLDER}${name}.onnx`)).arrayBuffer());
}

/**
 * An input for a graph: sin(0), sin(1), sin(2)…
 * @param {string} name
 * @param {number[]} dims
 */
export function waves(name, dims) {
  const length = dims.reduce((product, size) => product * size, 1);
  return { name, dims, data: Float32Array.from({ length }, (_, index) => Math.sin(index)) };
}

/**
 * True when the device gives the expected answer in a precision.
 * @param {Runtime} runtime
 * @param {keyof typeof TOLERANCES} precision
 * @param {number[]} expected
 */
async function answers(runtime, precision, expected) {
  const session = await runtime.open(await graph(`question-${precision}`));
  try {
    const [{ data }] = await session.run([waves("x", QUESTION_SHAPE)]);
    return isClose(data, expected, TOLERANCES[precision]);
  } finally {
    await session.release();
  }
}

/** The answer of a device that does not take a question, unless the question has not arrived. @param {unknown} reason */
function refused(reason) {
  if (DemixError.wrap(reason, "runtime/failed").code === "program/network") throw reason;
  return false;
}

/**
 * @param {Float32Array} values
 * @param {ArrayLike<number>} expected
 * @param {number} tolerance
 */
const isClose = (values, expected, tolerance) =>
  Array.from(expected).every((value, index) => Math.abs(values[index] - value) < tolerance);

const wrongNumbers = () => new DemixError("runtime/failed", "The device computes wrong numbers.");
