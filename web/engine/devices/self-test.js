/**
 * Whether a device computes rightly: it is asked a question of which the answer is known, made of the operators
 * of the real models by `models/testing/make.py`.
 */

import { DemixError } from "../../base/errors.js";
import { answer, graph, waves } from "./graphs.js";

/** @typedef {import("../worker/engine.js").Runtime} Runtime */

const SHAPE = [1, 4, 16, 32];

/** Of answers as large as 3; rounding gives 1e-4 in float32 and 1e-2 in float16, a fault gives as much as it likes. */
const TOLERANCE = 1e-3;
const TOLERANCE_HALF = 0.1;

/**
 * @param {Runtime} runtime on a device that has been started
 * @returns {Promise<{ fp16: boolean }>} whether it can be trusted with float16 as well
 * @throws {DemixError} when it computes wrong numbers
 */
export async function judge(runtime) {
  const expected = await answer();
  if (!(await agrees(runtime, await graph("question"), expected, TOLERANCE))) throw wrongNumbers();
  if (!runtime.device.half) return { fp16: false };
  const half = await graph("question-fp16");
  return { fp16: await agrees(runtime, half, expected, TOLERANCE_HALF).catch(() => false) };
}

export const wrongNumbers = () => new DemixError("runtime/failed", "The device computes wrong numbers.");

/**
 * @param {Runtime} runtime
 * @param {Uint8Array<ArrayBuffer>} question
 * @param {number[]} expected
 * @param {number} tolerance
 */
async function agrees(runtime, question, expected, tolerance) {
  const session = await runtime.open(question);
  try {
    const [{ data }] = await session.run([waves("x", SHAPE)]);
    return expected.every((value, index) => Math.abs(data[index] - value) < tolerance);
  } finally {
    await session.release();
  }
}
