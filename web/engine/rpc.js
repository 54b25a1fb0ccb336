/**
 * Request and reply over a port: ids, the version check and typed errors in both directions.
 */

import { EngineError } from "./errors.js";
import { VERSION } from "./protocol.js";
import { fits } from "./shapes.js";

/** @typedef {import("./protocol.js").Calls} Calls */
/** @typedef {import("./protocol.js").Events} Events */
/** @typedef {import("./protocol.js").ComputeCalls} ComputeCalls */
/** @typedef {import("./protocol.js").NamedTensor} NamedTensor */
/**
 * @template {{ [T in keyof C]: { data: any, value: any } }} [C=Calls]
 * @typedef {{ [T in keyof C]: (data: C[T]["data"]) => Promise<C[T]["value"] | Moved<C[T]["value"]>> }} Handlers
 */
/** @typedef {<T extends keyof Events>(type: T, data: Events[T], transfer?: Transferable[]) => void} Emit */
/** @typedef {Pick<Worker, "postMessage" | "addEventListener">} Port */

/**
 * A reply whose tensors go to the other side, and are empty here from then on.
 * @template T
 */
export class Moved {
  /** @param {T} value @param {NamedTensor[]} tensors in it */
  constructor(value, tensors) {
    this.value = value;
    this.buffers = tensors.map(({ data }) => data.buffer);
  }
}

/**
 * The asking side.
 * @template {{ [T in keyof C]: { data: any, value: any } }} [C=Calls]
 */
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
   * @template {keyof C} T
   * @param {T} type
   * @param {C[T]["data"]} data
   * @param {Transferable[]} [transfer]
   * @returns {Promise<C[T]["value"]>}
   */
  call(type, data, transfer = []) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#port.postMessage({ v: VERSION, id, type, data }, transfer);
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
 * @template {{ [T in keyof C]: { data: any, value: any } }} [C=Calls]
 * @param {Port} port
 * @param {Promise<unknown>} ready nothing is handled, and so nothing sent, before
 * @param {(emit: Emit) => Handlers<C>} create
 */
export function serve(port, ready, create) {
  const handlers = create((type, data, transfer = []) => port.postMessage({ type, data }, transfer));
  port.addEventListener("message", async ({ data: request }) => {
    const id = request?.id ?? null;
    try {
      await ready;
      const reply = await handlerOf(handlers, request)(request.data);
      const { value, buffers } = reply instanceof Moved ? reply : { value: reply, buffers: [] };
      port.postMessage({ id, ok: true, value }, buffers);
    } catch (error) {
      port.postMessage({ id, ok: false, error: EngineError.wrap(error).toData() });
    }
  });
}

/**
 * @param {Handlers<any>} handlers
 * @param {any} request
 * @returns {(data: any) => Promise<any>}
 */
function handlerOf(handlers, request) {
  const known = request?.v === VERSION && Object.hasOwn(handlers, request.type);
  if (known && fits(request.type, request.data)) return handlers[request.type];
  throw new EngineError(
    "protocol/version",
    known
      ? `The data of this ${request.type} is not what version ${VERSION} has there.`
      : `The engine speaks version ${VERSION} and does not know ${request?.type} of version ${request?.v}.`,
    "Reload the page: it and its engine are of different versions.",
  );
}
