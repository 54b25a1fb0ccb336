/**
 * Times a device: its rate of matrix products, which predicts how long a job takes, and layers of the largest model at
 * their real size (`layers` of `models/testing/make.py`), by which candidates are compared.
 */

import { graph, PROBE, waves } from "./self-test.js";

const PROBE_OPERATIONS = 2 * PROBE.products * PROBE.rows * PROBE.size ** 2;
const PROBE_RUNS = 3;
const SLOW_PROBE_MS = 500;

const LAYERS_SHAPE = [1, 48, 512, 56];
const LAYERS_RUNS = 2;

/**
 * The rate of matrix products of one worker.
 * @param {import("./self-test.js").Probe} probe
 * @returns {Promise<number>} in 1e9 operations a second
 */
export async function measureRate(probe) {
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < PROBE_RUNS; run++) {
    const { milliseconds } = await probe.run();
    fastest = Math.min(fastest, milliseconds);
    if (fastest > SLOW_PROBE_MS) break;
  }
  return PROBE_OPERATIONS / fastest / 1e6;
}

/**
 * The time that the layers take with all workers busy.
 * @param {import("../worker/startup.js").Runtime} runtime on a device that has been started
 * @returns {Promise<number>} seconds for each time that they are computed
 */
export async function timeLayers(runtime) {
  const { workers } = runtime.device;
  const session = await runtime.open(await graph("layers"));
  const runAll = () =>
    Promise.all(Array.from({ length: workers }, () => session.run([waves("x", LAYERS_SHAPE)])));
  try {
    await runAll(); // the first one compiles and fills caches
    let fastest = Number.POSITIVE_INFINITY;
    for (let run = 0; run < LAYERS_RUNS; run++) {
      const begin = performance.now();
      await runAll();
      fastest = Math.min(fastest, performance.now() - begin);
    }
    return fastest / workers / 1000;
  } finally {
    await session.release();
  }
}
