/**
 * The one kind of error that crosses a thread, a module's border or the screen: the twin of `py/demixer/errors.py`.
 */

/** Messages of browsers and runtimes, which have no code for this. */
const OUT_OF_MEMORY =
  /out of memory|\bOOM\b|bad_alloc|MemoryError|(failed|could not) (to )?allocate|allocation failed|cannot enlarge memory/i;

/** Messages of browsers, and of runtimes that quote them, for a request or a body that the network has not delivered. */
const NETWORK =
  /failed to fetch|load failed|network ?error|network connection|input stream|importing a module|dynamically imported module/i;

/** Names of errors of files that have been changed or removed: here of those in the browser's storage. */
const GONE = new Set(["NotFoundError", "NotReadableError"]);

/** Classes of errors that only a defect of the program throws. */
const PROGRAM_ERRORS = new Set(["TypeError", "ReferenceError", "RangeError", "SyntaxError"]);

/** Every error code; true when retrying can help. */
export const ERROR_CODES = Object.freeze({
  cancelled: true,
  "audio/unreadable": false,
  "audio/changed": false,
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
  "storage/cleared": false,
  "runtime/start-failed": true,
  "runtime/device-lost": true,
  "runtime/out-of-memory": true,
  "runtime/failed": true,
  "engine/crashed": true,
  "engine/timeout": true,
  "protocol/version": false,
  "program/network": true,
  "program/failed": true,
});

/** @typedef {keyof typeof ERROR_CODES} ErrorCode */

/**
 * Advice that is more exact than the code's: the page shows `error.<code>.hint.<hint>` in place of `error.<code>.hint`.
 * @typedef {"channels" | "format" | "https" | "kind" | "picked" | "protected" | "rate" | "start"} Hint
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
   * Anything thrown, as a `DemixError`. Aborts, a full or cleared storage, a lack of memory, a network that fails and
   * defects of the program are known by their class or message, whatever failed.
   * @param {unknown} thrown
   * @param {ErrorCode} [code] for all other errors
   */
  static wrap(thrown, code = "program/failed") {
    if (thrown instanceof DemixError) return thrown;
    const name = thrown instanceof Error ? thrown.name : "";
    const message = messageOf(thrown);
    if (name === "AbortError") return cancelled();
    if (name === "QuotaExceededError") return new DemixError("storage/quota", message);
    if (GONE.has(name)) return new DemixError("storage/cleared", message);
    if (OUT_OF_MEMORY.test(message)) return new DemixError("runtime/out-of-memory", message);
    if (NETWORK.test(message)) return new DemixError("program/network", message);
    if (PROGRAM_ERRORS.has(name)) return new DemixError("program/failed", `${name}: ${message}`);
    return new DemixError(code, message);
  }
}

/**
 * True for an error after which a worker is replaced: its runtime is unreliable, with a heap that never shrinks, or parts
 * of it are missing.
 * @param {unknown} error
 */
export const spoilsWorker = (error) => error instanceof DemixError && /^(runtime|program)\//.test(error.code);

export const cancelled = () => new DemixError("cancelled", "Cancelled.");

/** @param {unknown} thrown */
export const messageOf = (thrown) => (thrown instanceof Error ? thrown.message : String(thrown));

/** Anything thrown, as the page shows it. @param {unknown} thrown @returns {ErrorData} */
export const describe = (thrown) => DemixError.wrap(thrown).toData();
