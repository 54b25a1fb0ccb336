/**
 * The one kind of error that crosses a thread, a module's border or the screen: the twin of `py/demixer/errors.py`.
 */

/** Every error code; true when retrying can help. */
export const ERROR_CODES = Object.freeze({
  cancelled: true,
  "audio/unreadable": false,
  "audio/unsupported": false,
  "audio/empty": false,
  "audio/too-long": false,
  "audio/not-finite": false,
  "model/unknown": false,
  "model/network": true,
  "model/integrity": true,
  "model/incompatible": false,
  "storage/quota": false,
  "storage/unavailable": false,
  "runtime/start-failed": true,
  "runtime/device-lost": true,
  "runtime/out-of-memory": true,
  "runtime/failed": true,
  "engine/crashed": true,
  "engine/timeout": true,
  "protocol/version": false,
});

/** @typedef {keyof typeof ERROR_CODES} ErrorCode */

/**
 * Advice that is more exact than the code's: the page shows `error.<code>.hint.<hint>` in place of `error.<code>.hint`.
 * @typedef {"channels" | "format" | "https" | "kind" | "protected" | "rate"} Hint
 */

/**
 * An error as plain data, as it travels between threads and is shown.
 * @typedef {object} ErrorData
 * @property {ErrorCode} code
 * @property {string} message in English; the page shows its own text for the code first
 * @property {string | null} [hint] a `Hint`, or Python's English advice, which the page does not show
 * @property {boolean} retryable
 */

export class DemixError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {Hint | null} [hint]
   */
  constructor(code, message, hint = null) {
    super(message);
    this.name = "DemixError";
    this.code = code;
    this.hint = hint;
  }

  /** True when the same request may succeed later. */
  get retryable() {
    return ERROR_CODES[this.code];
  }

  /** @returns {ErrorData} */
  toData() {
    return { code: this.code, message: this.message, hint: this.hint, retryable: this.retryable };
  }

  /** @param {ErrorData} data */
  static from({ code, message, hint }) {
    return new DemixError(code, message, /** @type {Hint | null | undefined} */ (hint));
  }

  /**
   * Anything thrown, as a `DemixError`. The browser's own errors for an abort and a full disk get their codes.
   * @param {unknown} thrown
   * @param {ErrorCode} [code] for errors without one
   */
  static wrap(thrown, code = "runtime/failed") {
    if (thrown instanceof DemixError) return thrown;
    const name = thrown instanceof DOMException ? thrown.name : "";
    if (name === "AbortError") return cancelled();
    return new DemixError(name === "QuotaExceededError" ? "storage/quota" : code, messageOf(thrown));
  }
}

export const cancelled = () => new DemixError("cancelled", "Cancelled.");

/** @param {unknown} thrown */
export const messageOf = (thrown) => (thrown instanceof Error ? thrown.message : String(thrown));

/** Anything thrown, as the page shows it. @param {unknown} thrown @returns {ErrorData} */
export const describe = (thrown) => DemixError.wrap(thrown).toData();
