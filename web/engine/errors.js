/**
 * The one kind of error that leaves the engine, and its shape between page and worker.
 */

import { ERROR_CODES } from "./protocol.js";

/** @typedef {import("./protocol.js").ErrorCode} ErrorCode */
/** @typedef {import("./protocol.js").ErrorData} ErrorData */

export class EngineError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {string | null} [hint]
   */
  constructor(code, message, hint = null) {
    super(message);
    this.name = "EngineError";
    this.code = code;
    this.hint = hint;
  }

  /** Whether trying the same thing again can help. */
  get retryable() {
    return ERROR_CODES[this.code];
  }

  /** @returns {ErrorData} */
  toData() {
    return { code: this.code, message: this.message, hint: this.hint, retryable: this.retryable };
  }

  /** @param {ErrorData} data */
  static from({ code, message, hint }) {
    return new EngineError(code, message, hint);
  }

  /**
   * Whatever was thrown, as one of ours.
   * @param {unknown} thrown
   * @param {ErrorCode} [code] what it means where it was caught
   */
  static wrap(thrown, code = "runtime/failed") {
    return thrown instanceof EngineError ? thrown : new EngineError(code, messageOf(thrown));
  }
}

export const cancelled = () => new EngineError("cancelled", "Cancelled.");

/** @param {unknown} thrown */
export const messageOf = (thrown) => (thrown instanceof Error ? thrown.message : String(thrown));
