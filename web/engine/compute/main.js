/**
 * The entry of a compute worker. The processor blocks the worker that it computes in, so it gets one of its own, and
 * Python goes on with the segments before and after in the engine worker.
 */

import { parentPort, serve, Transferred } from "../../base/messages.js";
import { watchRequests } from "../../base/requests.js";
import { COMPUTE } from "../protocol.js";
import { Runtime } from "./runtime.js";

/** @typedef {import("./runtime.js").Session} Session */
/** @typedef {import("../../base/messages.js").Handlers<import("../protocol.js").ComputeCalls>} Handlers */

/** @type {Promise<Runtime>} */
let runtime;
/** @type {Map<number, Session>} */
const sessions = new Map();

serve(parentPort, COMPUTE, (emit) => {
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
      const buffers = outputs.map(({ data }) => data.buffer);
      return new Transferred({ outputs, seconds: opened.seconds }, buffers);
    },
    "session.release": async ({ session }) => {
      await sessions.get(session)?.release();
      sessions.delete(session);
      return null;
    },
  };
  return handlers;
});
