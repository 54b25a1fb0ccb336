/**
 * The engine worker's entry. The same script runs separations, analyses and benchmarks, each in a worker of its own.
 */

import { DemixError } from "../../base/errors.js";
import { parentPort, serve } from "../../base/messages.js";
import { watchRequests } from "../../base/requests.js";
import { ENGINE } from "../protocol.js";
import { Engine } from "./engine.js";

/**
 * Resolves when this worker holds the lock with its name, for as long as it lives. The page waits for the lock too, and
 * so notices the worker's death (`page/connection.js`).
 * @type {Promise<void>}
 */
const holding = new Promise((resolve) => {
  navigator.locks.request(self.name, () => {
    resolve();
    return new Promise(() => {});
  });
});

serve(
  parentPort,
  ENGINE,
  (emit) => {
    const end = (/** @type {Event} */ event, /** @type {unknown} */ thrown) => {
      event.preventDefault();
      emit("engine.fatal", DemixError.wrap(thrown, "engine/crashed").toData());
    };
    self.addEventListener("unhandledrejection", (event) => end(event, event.reason));
    self.addEventListener("error", (event) => end(event, event.error ?? event.message));
    void holding.then(() => watchRequests((urls) => emit("requests", { urls })));
    return new Engine(emit).handlers;
  },
  holding,
);
