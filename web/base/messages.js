/**
 * Typed messages between threads. Every pair of threads speaks the same four kinds:
 *
 *     request  { v, id, type, data }          starts some work
 *     abort    { v, id, type: "abort" }       stops a request, which is still replied to
 *     reply    { id, ok: true, value }        ends a request
 *              { id, ok: false, error }
 *     event    { type, data }                 reports something in between
 *
 * Both ends of a port may call and serve: only replies have `ok`, and each end counts its own requests.
 *
 * A `Contract` lists the requests and events of a pair of threads. Requests are checked against it as they arrive, so a
 * page and a worker of different versions fail with `protocol/version` instead of misunderstanding each other.
 */

import { cancelled, DemixError } from "./errors.js";
import { relayRequests } from "./requests.js";

/** @typedef {import("./shapes.js").Shape} Shape */

/**
 * @typedef {object} Contract
 * @property {number} version changes when old and new cannot talk
 * @property {Record<string, Shape>} requests data of each request, by its type
 * @property {Record<string, Shape>} events data of each event, by its type
 */

/** Data and value of each request, by its type. @typedef {{ [type: string]: { data: any, value: any } }} Calls */
/** Data of each event, by its type. @typedef {{ [type: string]: any }} Events */
/** @typedef {Pick<Worker, "postMessage" | "addEventListener">} Port */

/**
 * @template {Events} [E=any]
 * @typedef {<T extends keyof E & string>(type: T, data: E[T], transfer?: Transferable[]) => void} Emit
 */

/**
 * The handler of each request. The signal is aborted when the caller has aborted the request.
 * @template {{ [T in keyof C]: { data: any, value: any } }} C
 * @typedef {{ [T in keyof C]: (data: C[T]["data"], signal: AbortSignal) =>
 *   Promise<C[T]["value"] | Transferred<C[T]["value"]>> }} Handlers
 */

/**
 * A reply whose buffers move to the caller instead of being copied.
 * @template T
 */
export class Transferred {
  /** @param {T} value @param {Transferable[]} buffers */
  constructor(value, buffers) {
    this.value = value;
    this.buffers = buffers;
  }
}

/**
 * @typedef {object} Pending a request without a reply
 * @property {(value: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {() => void} unlink stops listening to the caller's signal
 * @property {boolean} aborted
 */

const UNLOADED = "The script of a worker could not be loaded.";

let areEventsChecked = false;

/**
 * Checks events against their contract from now on. Only tests do: events are frequent, and come from our own workers.
 */
export function checkEvents() {
  areEventsChecked = true;
}

/**
 * The calling side of a port.
 * @template {{ [T in keyof C]: { data: any, value: any } }} [C=any]
 * @template {Events} [E=any]
 */
export class Caller {
  #port;
  #contract;
  #lastId = 0;
  /** @type {Map<number, Pending>} */ #pending = new Map();
  /** @type {(() => void)[]} */ #onStopped = [];

  /**
   * @param {Port} port
   * @param {Contract} contract
   * @param {(type: keyof E & string, data: any) => void} [onEvent]
   */
  constructor(port, contract, onEvent = () => {}) {
    this.#port = port;
    this.#contract = contract;
    port.addEventListener("message", ({ data: message }) => {
      if ("ok" in message) this.#settle(message);
      else if (!("id" in message)) {
        if (areEventsChecked) checkEvent(contract, message);
        onEvent(message.type, message.data);
      }
    });
  }

  /** Requests without a reply, aborted ones included. */
  get pending() {
    return this.#pending.size;
  }

  /**
   * Makes a request. An abort rejects the call immediately with the signal's reason, while the other side stops.
   * @template {keyof C & string} T
   * @param {T} type
   * @param {C[T]["data"]} data
   * @param {{ signal?: AbortSignal, transfer?: Transferable[] }} [options]
   * @returns {Promise<C[T]["value"]>}
   */
  call(type, data, { signal, transfer = [] } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const { version: v } = this.#contract;
      const id = ++this.#lastId;
      /** @type {Pending} */
      const pending = {
        resolve,
        reject,
        unlink: () => signal?.removeEventListener("abort", abort),
        aborted: false,
      };
      const abort = () => {
        pending.aborted = true;
        this.#port.postMessage({ v, id, type: "abort" });
        reject(signal?.reason);
      };
      this.#port.postMessage({ v, id, type, data }, transfer);
      signal?.addEventListener("abort", abort, { once: true });
      this.#pending.set(id, pending);
    });
  }

  /** Resolves when every aborted request has been replied to: the other side has stopped. @returns {Promise<void>} */
  stopped() {
    if (!this.#isStopping()) return Promise.resolve();
    return new Promise((resolve) => this.#onStopped.push(resolve));
  }

  /** Fails all pending requests. @param {unknown} error */
  fail(error) {
    for (const { reject, unlink } of this.#pending.values()) {
      unlink();
      reject(error);
    }
    this.#pending.clear();
    this.#notifyStopped();
  }

  /** @param {{ id: number, ok: boolean, value?: any, error?: any }} reply */
  #settle({ id, ok, value, error }) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    pending.unlink();
    if (ok) pending.resolve(value);
    else pending.reject(DemixError.from(error));
    this.#notifyStopped();
  }

  #isStopping() {
    return [...this.#pending.values()].some(({ aborted }) => aborted);
  }

  #notifyStopped() {
    if (this.#isStopping()) return;
    for (const resolve of this.#onStopped.splice(0)) resolve();
  }
}

/** @param {Contract} contract @param {{ type: string, data: any }} event */
function checkEvent({ events }, { type, data }) {
  if (Object.hasOwn(events, type) && events[type](data)) return;
  throw new Error(`The event ${type} is not in the contract: ${JSON.stringify(data)}`);
}

/**
 * A worker and the requests to it. A worker that breaks fails all of them. Its `requests` events are passed on to
 * `watchRequests`.
 * @template {{ [T in keyof C]: { data: any, value: any } }} [C=any]
 * @template {Events} [E=any]
 * @extends {Caller<C, E>}
 */
export class WorkerClient extends Caller {
  #worker;
  /** Set when the worker has ended. @type {{ error: unknown } | null} */
  #end = null;

  /**
   * @param {Worker} worker
   * @param {Contract} contract
   * @param {object} [options]
   * @param {(type: keyof E & string, data: any) => void} [options.onEvent]
   * @param {(error: DemixError) => void} [options.onError] by default ends the worker
   * @param {import("./errors.js").ErrorCode} [options.crash] code of the error, unless the worker could not be loaded
   */
  constructor(worker, contract, { onEvent, onError, crash = "engine/crashed" } = {}) {
    super(worker, contract, (type, data) => {
      if (type === "requests") relayRequests(data.urls);
      else onEvent?.(type, data);
    });
    this.#worker = worker;
    const fail = onError ?? ((error) => this.end(error));
    worker.addEventListener("error", (event) => {
      event.preventDefault(); // it becomes the error of the pending calls
      const { message } = event; // a script that could not be fetched has none
      fail(message ? new DemixError(crash, message) : new DemixError("program/network", UNLOADED));
    });
    worker.addEventListener("messageerror", () =>
      fail(new DemixError(crash, "The worker sent a message that cannot be read.")),
    );
  }

  /** @override @type {Caller<C, E>["call"]} */
  call(type, data, options) {
    return this.#end ? Promise.reject(this.#end.error) : super.call(type, data, options);
  }

  /** Terminates the worker. @param {unknown} [error] of pending and later calls */
  end(error = cancelled()) {
    this.#end ??= { error };
    this.#worker.terminate();
    this.fail(error);
  }
}

/**
 * The answering side of a port. Requests are handled as they come; replies go out as handlers finish, in any order.
 * @template {{ [T in keyof C]: { data: any, value: any } }} C
 * @template {Events} [E=any]
 * @param {Port} port
 * @param {Contract} contract
 * @param {(emit: Emit<E>) => Handlers<C>} create
 * @param {Promise<unknown>} [ready] nothing is handled before
 */
export function serve(port, contract, create, ready = Promise.resolve()) {
  /** @type {Emit<E>} */
  const emit = (type, data, transfer = []) => port.postMessage({ type, data }, transfer);
  const handlers = create(emit);
  /** @type {Map<number, AbortController>} */
  const running = new Map();
  port.addEventListener("message", async ({ data: request }) => {
    if (isReply(request)) return;
    const id = request?.id ?? null;
    if (request?.type === "abort") return running.get(id)?.abort(cancelled());
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const handle = handlerOf(handlers, contract, request);
      await ready;
      controller.signal.throwIfAborted();
      const reply = await handle(request.data, controller.signal);
      const { value, buffers } = reply instanceof Transferred ? reply : { value: reply, buffers: [] };
      port.postMessage({ id, ok: true, value }, buffers);
    } catch (error) {
      port.postMessage({ id, ok: false, error: DemixError.wrap(error).toData() });
    } finally {
      running.delete(id);
    }
  });
}

/** True for a reply to a call from this end of the port. @param {any} message */
const isReply = (message) => typeof message?.ok === "boolean";

/**
 * @param {Handlers<any>} handlers
 * @param {Contract} contract
 * @param {any} request
 * @returns {(data: any, signal: AbortSignal) => Promise<any>}
 */
function handlerOf(handlers, { version, requests }, request) {
  const isKnown = request?.v === version && Object.hasOwn(handlers, request.type);
  if (isKnown && requests[request.type](request.data)) return handlers[request.type];
  throw new DemixError(
    "protocol/version",
    isKnown
      ? `The data of this ${request.type} is not what version ${version} expects.`
      : `This worker speaks version ${version} and does not know ${request?.type} of version ${request?.v}.`,
  );
}

/** A worker's port to the thread that started it. The types of the DOM take every script for a page's. */
export const parentPort = /** @type {Port} */ (/** @type {unknown} */ (globalThis));
