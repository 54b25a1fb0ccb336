import { ERROR_CODES } from "../engine/protocol.js";

/** @typedef {import("../engine/protocol.js").ErrorCode} ErrorCode */

/** A file that cannot be used, with the same codes as the engine's errors. */
export class MediaError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message what is wrong, in one plain sentence
   * @param {string} [hint] what to do about it, where that is not the same for all errors of the code
   */
  constructor(code, message, hint) {
    super(message);
    this.name = "MediaError";
    this.code = code;
    this.hint = hint;
    this.retryable = ERROR_CODES[code];
  }
}
