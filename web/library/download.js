/**
 * A file of known size, downloaded; what broke off goes on where the server allows it.
 */

import { DemixError, messageOf } from "../base/errors.js";

/** @typedef {import("../engine/protocol.js").Artifact} Artifact */
/** @typedef {{ sha256: string, content: Uint8Array<ArrayBuffer>, received: number }} Partial */

const REPORT_BYTES = 1 << 20;
const PATIENCE_MS = 30_000;

/** The last download that was not finished. @type {Partial | null} */
let unfinished = null;

/**
 * @param {URL} url
 * @param {Artifact} artifact
 * @param {AbortSignal} signal
 * @param {(received: number) => void} report
 * @param {number} [patience] milliseconds without a byte after which a connection counts as dead
 */
export async function download(url, artifact, signal, report, patience = PATIENCE_MS) {
  const partial = unfinished?.sha256 === artifact.sha256 ? unfinished : begin(artifact);
  unfinished = partial;
  for (;;) {
    const before = partial.received;
    try {
      await receive(url, partial, signal, report, patience);
      unfinished = null;
      return partial.content;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refusal) unfinished = null;
      else if (partial.received > before) continue;
      throw new DemixError(
        "model/network",
        `The model could not be downloaded: ${messageOf(error)}.`,
        "Check the connection, then try again.",
      );
    }
  }
}

/** The server has not the file that is wanted: there is nothing to go on with. */
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
 * @param {number} patience
 */
async function receive(url, partial, signal, report, patience) {
  const { content } = partial;
  const start = partial.received;
  const silence = new AbortController();
  const giveUp = () => silence.abort(new Error("the server has stopped sending"));
  let timer = setTimeout(giveUp, patience);
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, silence.signal]),
      headers: start ? { Range: `bytes=${start}-` } : {},
      cache: "no-store", // our own cache keeps it
    });
    let received = response.status === 206 ? start : 0;
    let reported = 0;
    for await (const chunk of chunksOf(response)) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, patience);
      if (received + chunk.length > content.length) throw new Refusal("the file is too long");
      content.set(chunk, received);
      received += chunk.length;
      partial.received = Math.max(partial.received, received); // the same bytes again are no progress
      if (received - reported < REPORT_BYTES && received < content.length) continue;
      reported = received;
      report(received);
    }
    if (received < content.length) throw new Error("the connection ended early");
  } finally {
    clearTimeout(timer);
  }
}

/** The body of a response that can be a model: servers like to answer with a page. @param {Response} response */
async function* chunksOf({ ok, status, headers, body }) {
  if (!ok) throw new Refusal(`the server answered ${status}`);
  if (headers.get("content-type")?.startsWith("text/html")) throw new Refusal("the server sent a page");
  if (!body) throw new Refusal("the server sent nothing");
  const reader = body.getReader(); // Safari's streams are no iterators
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    reader.cancel().catch(() => {}); // whoever stopped asking wants no more of it
  }
}
