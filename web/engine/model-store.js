/**
 * Model files: from the browser's cache, else downloaded; verified before anything sees them.
 */

import { EngineError, messageOf } from "./errors.js";

/** @typedef {import("./protocol.js").Artifact} Artifact */
/** @typedef {(stage: "download" | "verify" | "create", done: number, total: number) => void} Report */

const CACHE = "demixer-models";
const REPORT_BYTES = 1 << 20;

/**
 * The weights behind an artifact, which are what its SHA-256 says.
 * @param {URL} url
 * @param {Artifact} artifact
 * @param {AbortSignal} signal
 * @param {Report} report
 * @returns {Promise<{ weights: Uint8Array<ArrayBuffer>, cached: boolean }>}
 */
export async function obtain(url, artifact, signal, report) {
  const kept = await fromCache(artifact, report);
  if (kept) return { weights: kept, cached: true };
  const weights = await download(url, artifact, signal, report);
  report("verify", 0, 1);
  if (!(await verified(weights, artifact))) {
    throw new EngineError(
      "model/integrity",
      "The downloaded model is not the one that was expected.",
      "Try again; if it stays so, something between you and the server changes files.",
    );
  }
  report("verify", 1, 1);
  return { weights, cached: await keep(weights, artifact) };
}

/**
 * @param {Artifact} artifact
 * @param {Report} report
 */
async function fromCache(artifact, report) {
  const cache = await openCache();
  const response = await cache?.match(keyOf(artifact));
  if (!cache || !response) return null;
  report("verify", 0, 1);
  const weights = new Uint8Array(await response.arrayBuffer());
  if (await verified(weights, artifact)) {
    report("verify", 1, 1);
    return weights;
  }
  await cache.delete(keyOf(artifact)); // damaged on the disk
  return null;
}

/**
 * @param {Uint8Array<ArrayBuffer>} weights
 * @param {Artifact} artifact
 * @returns {Promise<boolean>} whether the browser will still have it at the next visit
 */
async function keep(weights, artifact) {
  try {
    const cache = await openCache();
    await cache?.put(keyOf(artifact), new Response(weights));
    return cache !== null;
  } catch {
    return false; // no room, or a private window: it is in memory, which is enough for now
  }
}

/**
 * @param {URL} url
 * @param {Artifact} artifact
 * @param {AbortSignal} signal
 * @param {Report} report
 */
async function download(url, artifact, signal, report) {
  const weights = new Uint8Array(artifact.bytes);
  let received = 0;
  let reported = 0;
  report("download", 0, artifact.bytes);
  try {
    const response = await fetch(url, { signal, cache: "no-store" }); // our own cache keeps it
    for await (const chunk of chunksOf(response)) {
      if (received + chunk.length > weights.length) throw new Error("the file is too long");
      weights.set(chunk, received);
      received += chunk.length;
      if (received - reported < REPORT_BYTES && received < weights.length) continue;
      reported = received;
      report("download", received, artifact.bytes);
    }
    if (received < weights.length) throw new Error("the connection ended early");
  } catch (error) {
    signal.throwIfAborted();
    throw new EngineError(
      "model/network",
      `The model could not be downloaded: ${messageOf(error)}.`,
      "Check the connection, then try again.",
    );
  }
  return weights;
}

/** The body of a response that can be a model: servers like to answer with a page. @param {Response} response */
async function* chunksOf({ ok, status, headers, body }) {
  if (!ok) throw new Error(`the server answered ${status}`);
  if (headers.get("content-type")?.startsWith("text/html")) throw new Error("the server sent a page");
  if (!body) throw new Error("the server sent nothing");
  const reader = body.getReader(); // Safari's streams are no iterators
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    reader.cancel().catch(() => {}); // whoever stopped asking wants no more of it
  }
}

/** @param {Uint8Array<ArrayBuffer>} weights @param {Artifact} artifact */
async function verified(weights, artifact) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", weights));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === artifact.sha256;
}

/** The cache, or null where the browser has none for us. */
const openCache = () => caches.open(CACHE).catch(() => null);

/** @param {Artifact} artifact */
const keyOf = ({ sha256 }) => new URL(`../models/${sha256}`, import.meta.url).href;
