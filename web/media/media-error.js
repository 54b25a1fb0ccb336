import { ERROR_CODES } from "../engine/protocol.js";

/** @typedef {import("../engine/protocol.js").ErrorCode} ErrorCode */
/** @typedef {import("../engine/protocol.js").ErrorData} ErrorData */

/** A file that cannot be used, with the same codes as the engine's errors. */
export class MediaError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {string | null} [hint]
   */
  constructor(code, message, hint = null) {
    super(message);
    this.name = "MediaError";
    this.code = code;
    this.hint = hint;
    this.retryable = ERROR_CODES[code];
  }

  /** @returns {ErrorData} */
  toData() {
    return { code: this.code, message: this.message, hint: this.hint, retryable: this.retryable };
  }

  /** @param {ErrorData} data */
  static from({ code, message, hint }) {
    return new MediaError(code, message, hint);
  }
}
