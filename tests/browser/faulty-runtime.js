/**
 * A faulty `engine/compute/runtime.js`, which tests serve in place of the real one, with a plan.
 *
 * A plan is `{ fault, input, run, device }`: the fault, the name of an input of the affected graphs, their first affected
 * run, and the only affected device.
 */

import { Runtime } from "./runtime.js?real";

export * from "./runtime.js?real";

const { fault = "none", input = "magnitude", run: first = 1, device } = PLAN;

/** Open sessions of onnxruntime. */
export const open = new Set();

/** Number of runs of the affected graphs. */
export let runs = 0;

let isLost = false;

/** Set with the first run that waits for another worker's. */
let met = null;

const { load } = Runtime;

Runtime.load = async (chosen) => {
  const ort = await import(`../../vendor/onnxruntime-web/ort.${chosen.kind}.min.mjs`);
  const { create } = ort.InferenceSession;
  ort.InferenceSession.create = async (...given) => {
    const session = await create.apply(ort.InferenceSession, given);
    open.add(session);
    const concerned = session.inputNames.includes(input) && (device ?? chosen.kind) === chosen.kind;
    disturb(session, concerned ? faults[fault] : faults.none, ort, concerned);
    return session;
  };
  return load.call(Runtime, chosen);
};

function disturb(session, happens, ort, concerned) {
  const run = session.run.bind(session);
  const release = session.release.bind(session);
  let own = 0;
  session.run = (feeds) => {
    own += 1;
    if (concerned) runs += 1;
    return own < first ? run(feeds) : happens(() => run(feeds), ort);
  };
  session.release = () => {
    open.delete(session);
    return release();
  };
}

const spoilt = (change) => async (run) => {
  const outputs = await run();
  for (const { data } of Object.values(outputs)) data.set(data.map(change));
  return outputs;
};

const faults = {
  none: (run) => run(),
  nan: spoilt((value, index) => (index === 1000 ? Number.NaN : value)),
  wrong: spoilt((value) => 1.01 * value),
  memory: () => Promise.reject(new Error("failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc")),
  defect: () => undefined.missing,
  /** No worker's runs begin before another's: fast ones would leave it none. */
  meet: async (run) => {
    met ??= new Promise((resolve) => {
      const others = new BroadcastChannel("runs");
      others.onmessage = () => {
        others.onmessage = null;
        others.postMessage("here");
        resolve();
      };
      others.postMessage("here");
    });
    await met;
    return run();
  },
  hang: () => {
    for (;;);
  },
  /** As a real GPU: the first run after the loss fails, and the next one blocks the worker. */
  lose: async (run, { env }) => {
    while (isLost);
    isLost = true;
    (await env.webgpu.device).destroy();
    return run();
  },
};
