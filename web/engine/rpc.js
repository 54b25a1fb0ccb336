/**
 * Request and reply over a port: ids, the version check and typed errors in both directions.
 */

import { EngineError } from "./errors.js";
import { VERSION } from "./protocol.js";
import { fits } from "./shapes.js";

/** @typedef {import("./protocol.js").Calls} Calls */
/** @typedef {import("./protocol.js").Events} Events */
/** @typedef {{ [T in keyof Calls]: (data: Calls[T]["data"]) => Promise<Calls[T]["value"]> }} Handlers */
/** @typedef {<T extends keyof Events>(type: T, data: Events[T], transfer?: Transferable[]) => void} Emit */
/** @typedef {Pick<Worker, "postMessage" | "addEventListener">} Port */

/** The asking side. */
export class Caller {
  #port;
  #lastId = 0;
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: EngineError) => void }>} */
  #pending = new Map();

  /**
   * @param {Port} port
   * @param {(type: keyof Events, data: any) => void} onEvent
   */
  constructor(port, onEvent) {
    this.#port = port;
    port.addEventListener("message", ({ data: message }) => {
      if (!("id" in message)) return onEvent(message.type, message.data);
      const call = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.ok) call?.resolve(message.value);
      else call?.reject(EngineError.from(message.error));
    });
  }

  /**
   * @template {keyof Calls} T
   * @param {T} type
   * @param {Calls[T]["data"]} data
   * @returns {Promise<Calls[T]["value"]>}
   */
  call(type, data) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#port.postMessage({ v: VERSION, id, type, data });
      this.#pending.set(id, { resolve, reject });
    });
  }

  /** Ends every call that waits for its reply. @param {EngineError} error */
  fail(error) {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/**
 * The answering side. Replies come as their handlers finish, in any order.
 * @param {Port} port
 * @param {Promise<unknown>} ready nothing is handled, and so nothing sent, before
 * @param {(emit: Emit) => Handlers} create
 */
export function serve(port, ready, create) {
  const handlers = create((type, data, transfer = []) => port.postMessage({ type, data }, transfer));
  port.addEventListener("message", async ({ data: request }) => {
    const id = request?.id ?? null;
    try {
      await ready;
      port.postMessage({ id, ok: true, value: await handlerOf(handlers, request)(request.data) });
    } catch (error) {
      port.postMessage({ id, ok: false, error: EngineError.wrap(error).toData() });
    }
  });
}

/**
 * @param {Handlers} handlers
 * @param {any} request
 * @returns {(data: any) => Promise<any>}
 */
function handlerOf(handlers, request) {
  const known = request?.v === VERSION && Object.hasOwn(handlers, request.type);
  if (known && fits(request.type, request.data)) return handlers[/** @type {keyof Calls} */ (request.type)];
  throw new EngineError(
    "protocol/version",
    known
      ? `The data of this ${request.type} is not what version ${VERSION} has there.`
      : `The engine speaks version ${VERSION} and does not know ${request?.type} of version ${request?.v}.`,
    "Reload the page: it and its engine are of different versions.",
  );
}
