/** Downloads a file of known size, and continues an interrupted download if the server supports it. */

import { DemixError, messageOf } from "../base/errors.js";
import { firstOf } from "../base/waiting.js";

/** @typedef {import("./model-store.js").Artifact} Artifact */
/** @typedef {{ sha256: string, content: Uint8Array<ArrayBuffer>, received: number }} Partial */

const REPORT_BYTES = 1 << 20;
const TIMEOUT_MS = 30_000;

/** The last unfinished download. @type {Partial | null} */
let unfinished = null;

/**
 * @param {URL} url
 * @param {Artifact} artifact
 * @param {AbortSignal} signal
 * @param {(received: number) => void} report
 * @param {number} [timeout] milliseconds without a byte after which a connection is given up
 */
export async function download(url, artifact, signal, report, timeout = TIMEOUT_MS) {
  const partial = unfinished?.sha256 === artifact.sha256 ? unfinished : begin(artifact);
  unfinished = partial;
  for (;;) {
    const before = partial.received;
    try {
      await receive(url, partial, signal, report, timeout);
      unfinished = null;
      return partial.content;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refusal) unfinished = null;
      else if (partial.received > before) continue;
      throw new DemixError("model/network", `The model could not be downloaded: ${messageOf(error)}.`);
    }
  }
}

/** The server does not have this file, so there is nothing to continue. */
class Refusal extends Error {}

/** @param {Artifact} artifact @returns {Partial} */
function begin({ sha256, bytes }) {
  return { sha256, content: new Uint8Array(bytes), received: 0 };
}

/**
 * @param {URL} url
 * @param {Partial} partial
 * @param {AbortSignal} signal
 * @param {(received: number) => void} report
 * @param {number} timeout
 */
async function receive(url, partial, signal, report, timeout) {
  const { content } = partial;
  const start = partial.received;
  const stalled = new AbortController();
  const giveUp = () => stalled.abort(new Error("the server has stopped sending"));
  let timer = setTimeout(giveUp, timeout);
  try {
    const response = await fetch(url, {
      signal: firstOf(signal, stalled.signal),
      headers: start ? { Range: `bytes=${start}-` } : {},
      cache: "no-store", // `model-store.js` keeps it
    });
    let received = response.status === 206 ? start : 0;
    let reported = 0;
    for await (const chunk of chunksOf(response)) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, timeout);
      if (received + chunk.length > content.length) throw new Refusal("the file is too long");
      content.set(chunk, received);
      received += chunk.length;
      partial.received = Math.max(partial.received, received); // receiving the same bytes again is not progress
      if (received - reported < REPORT_BYTES && received < content.length) continue;
      reported = received;
      report(received);
    }
    if (received < content.length) throw new Error("the connection ended early");
  } finally {
    clearTimeout(timer);
  }
}

/** The body of a response, unless it is an error or a page. @param {Response} response */
async function* chunksOf({ ok, status, headers, body }) {
  if (!ok) throw new Refusal(`the server answered ${status}`);
  if (headers.get("content-type")?.startsWith("text/html")) throw new Refusal("the server sent a page");
  if (!body) throw new Refusal("the server sent nothing");
  const reader = body.getReader(); // Safari's streams are no iterators
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    reader.cancel().catch(() => {}); // the consumer may have stopped early
  }
}
