/**
 * The engine worker's entry.
 */

import { Engine } from "./engine.js";
import { EngineError } from "./errors.js";
import { watchRequests } from "./requests.js";
import { serve } from "./rpc.js";

/** The DOM's types take every script for a page's. */
const port = /** @type {import("./rpc.js").Port} */ (/** @type {unknown} */ (self));

// The page waits for this lock: it gets it when this worker is gone. See `link.js`.
/** @type {Promise<void>} */
const alive = new Promise((resolve) => {
  navigator.locks.request(self.name, () => {
    resolve();
    return new Promise(() => {});
  });
});

serve(port, alive, (emit) => {
  self.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    emit("engine.fatal", EngineError.wrap(event.reason, "engine/crashed").toData());
  });
  void alive.then(() => watchRequests((urls) => emit("engine.requests", { urls })));
  return new Engine(emit).handlers;
});
