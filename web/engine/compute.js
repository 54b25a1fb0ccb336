/**
 * The entry of a compute worker. The processor blocks the worker that it computes in, so it gets one of its own, and
 * Python goes on with the segments before and after in the engine worker.
 */

import { Runtime } from "./ort.js";
import { watchRequests } from "./requests.js";
import { Moved, serve } from "./rpc.js";

/** @typedef {import("./ort.js").Session} Session */
/** @typedef {import("./rpc.js").Handlers<import("./protocol.js").ComputeCalls>} Handlers */

/** The DOM's types take every script for a page's. */
const port = /** @type {import("./rpc.js").Port} */ (/** @type {unknown} */ (self));

/** @type {Promise<Runtime>} */
let runtime;
/** @type {Map<number, Session>} */
const sessions = new Map();

serve(port, Promise.resolve(), (emit) => {
  watchRequests((urls) => emit("engine.requests", { urls }));
  /** @type {Handlers} */
  const handlers = {
    "runtime.load": async (device) => {
      runtime = Runtime.load(device);
      return { version: (await runtime).version };
    },
    "session.open": async ({ session, model }) => {
      sessions.set(session, await (await runtime).open(model));
      return null;
    },
    "session.run": async ({ session, inputs }) => {
      const opened = /** @type {Session} */ (sessions.get(session));
      const outputs = await opened.run(inputs);
      opened.free(inputs);
      return new Moved({ outputs, seconds: opened.seconds }, outputs);
    },
    "session.release": async ({ session }) => {
      await sessions.get(session)?.release();
      sessions.delete(session);
      return null;
    },
  };
  return handlers;
});
