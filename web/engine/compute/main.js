/**
 * The compute worker's entry. The processor blocks the worker that it computes in, so models run here, while Python
 * goes on with other segments in the engine worker.
 */

import { DemixError } from "../../base/errors.js";
import { parentPort, serve, Transferred } from "../../base/messages.js";
import { watchRequests } from "../../base/requests.js";
import { COMPUTE } from "../protocol.js";
import { Runtime } from "./runtime.js";

/** @typedef {import("./runtime.js").Session} Session */
/** @typedef {import("../../base/messages.js").Handlers<import("../protocol.js").ComputeCalls>} Handlers */

/** @type {Promise<Runtime>} */
let loading;
/** By the numbers that the engine worker gives them. @type {Map<number, Session>} */
const sessions = new Map();

serve(parentPort, COMPUTE, (emit) => {
  watchRequests((urls) => emit("requests", { urls }));
  /** @type {Handlers} */
  const handlers = {
    "runtime.load": async (device) => {
      loading = Runtime.load(device);
      return { version: (await loading).version };
    },
    "session.open": async ({ session, model }) => {
      const runtime = await loading;
      sessions.set(session, await runtime.open(model));
      return null;
    },
    "session.run": async ({ session, inputs }) => {
      const opened = sessions.get(session);
      if (!opened) throw new DemixError("runtime/failed", "The session is not open.");
      try {
        const outputs = await opened.run(inputs);
        const buffers = outputs.map(({ data }) => data.buffer);
        return new Transferred({ outputs, seconds: opened.seconds }, buffers);
      } finally {
        opened.free(inputs);
      }
    },
    "session.release": async ({ session }) => {
      const opened = sessions.get(session);
      sessions.delete(session);
      await opened?.release();
      return null;
    },
  };
  return handlers;
});
