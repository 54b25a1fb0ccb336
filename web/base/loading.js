/** Loading of the program's own parts, whose failures are no defects of the program: networks fail. */

import { DemixError, messageOf } from "./errors.js";

/**
 * The outcome of `fetch` or `import`, which report a network that fails as a `TypeError`.
 * @template T
 * @param {Promise<T>} part
 * @returns {Promise<T>}
 * @throws {DemixError} `runtime/start-failed`
 */
export async function loaded(part) {
  try {
    return await part;
  } catch (reason) {
    if (reason instanceof DemixError) throw reason;
    throw new DemixError("runtime/start-failed", messageOf(reason));
  }
}
