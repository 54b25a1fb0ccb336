/** Waiting that can be cut short. */

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A signal that is aborted with the first of several: `AbortSignal.any`, which came late to Safari.
 * @param {...(AbortSignal | undefined)} signals
 * @returns {AbortSignal}
 */
export function firstOf(...signals) {
  const present = signals.filter((signal) => signal !== undefined);
  if ("any" in AbortSignal) return AbortSignal.any(present);
  const controller = new AbortController();
  for (const signal of present) {
    if (signal.aborted) controller.abort(signal.reason);
    signal.addEventListener("abort", () => controller.abort(signal.reason), { signal: controller.signal });
  }
  return controller.signal;
}

/**
 * Settles with a promise, or rejects with the signal's reason when that is aborted first.
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function until(signal, promise) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
