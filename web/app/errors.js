/** Whatever was thrown, in the shape that the page can show. */

import { ERROR_CODES } from "../engine/protocol.js";

/** @typedef {import("../engine/protocol.js").ErrorData} ErrorData */

/**
 * Errors of the engine and of the decoder carry a code; anything else is a fault of the page.
 * @param {any} reason
 * @returns {ErrorData}
 */
export function describe(reason) {
  if (reason?.code in ERROR_CODES) {
    const { code, message, hint, retryable } = reason;
    return { code, message, hint, retryable };
  }
  return { code: "runtime/failed", message: String(reason), retryable: true };
}
