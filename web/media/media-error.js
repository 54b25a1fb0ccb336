import { ERROR_CODES } from "../engine/protocol.js";

/** @typedef {import("../engine/protocol.js").ErrorCode} ErrorCode */

/** A file that cannot be used, with the same codes as the engine's errors. */
export class MediaError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "MediaError";
    this.code = code;
    this.retryable = ERROR_CODES[code];
  }
}
