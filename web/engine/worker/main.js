/**
 * The engine worker's entry.
 */

import { DemixError } from "../../base/errors.js";
import { parentPort, serve } from "../../base/messages.js";
import { watchRequests } from "../../base/requests.js";
import { ENGINE } from "../protocol.js";
import { Engine } from "./engine.js";

// The page waits for this lock: it gets it when this worker is gone. See `link.js`.
/** @type {Promise<void>} */
const alive = new Promise((resolve) => {
  navigator.locks.request(self.name, () => {
    resolve();
    return new Promise(() => {});
  });
});

serve(
  parentPort,
  ENGINE,
  (emit) => {
    self.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      emit("engine.fatal", DemixError.wrap(event.reason, "engine/crashed").toData());
    });
    void alive.then(() => watchRequests((urls) => emit("engine.requests", { urls })));
    return new Engine(emit).handlers;
  },
  alive,
);
