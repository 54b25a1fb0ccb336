/**
 * How long a device takes for pieces of the largest model at their real size (`layers` of `models/testing/make.py`).
 */

import { graph, waves } from "./graphs.js";

const SHAPE = [1, 48, 512, 56];
const RUNS = 2;

/**
 * @param {import("./ort.js").Runtime} runtime on a device that has been started
 * @returns {Promise<number>} seconds of the fastest run
 */
export async function timeLayers(runtime) {
  const inputs = [waves("x", SHAPE)];
  const session = await runtime.open(await graph("layers"));
  await session.run(inputs); // the first one compiles and fills caches
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    await session.run(inputs);
    fastest = Math.min(fastest, performance.now() - begin);
  }
  await session.release();
  return fastest / 1000;
}
