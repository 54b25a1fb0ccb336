/**
 * How long a device takes for pieces of the largest model at their real size (`layers` of `models/testing/make.py`).
 */

import { graph, waves } from "./graphs.js";

const SHAPE = [1, 48, 512, 56];
const RUNS = 2;

/**
 * @param {import("../worker/engine.js").Runtime} runtime on a device that has been started
 * @returns {Promise<number>} seconds for one of them, with all workers at work
 */
export async function timeLayers(runtime) {
  const { workers } = runtime.device;
  const session = await runtime.open(await graph("layers"));
  const runAll = () => Promise.all(Array.from({ length: workers }, () => session.run([waves("x", SHAPE)])));
  await runAll(); // the first one compiles and fills caches
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    await runAll();
    fastest = Math.min(fastest, performance.now() - begin);
  }
  await session.release();
  return fastest / workers / 1000;
}
