/**
 * Model files, from the browser's cache or else downloaded. Every file is verified before it is used.
 */

import { DemixError } from "../base/errors.js";
import { siteUrl } from "../base/site.js";
import { download } from "./download.js";
import { space } from "./space.js";

/**
 * @typedef {object} Artifact
 * @property {string} path relative to the manifest
 * @property {number} bytes
 * @property {string} sha256
 */

/**
 * One model of `models/manifest.json`, the twin of `demixer.models.Model`.
 * @typedef {object} Model
 * @property {string} id
 * @property {string} label
 * @property {string} summary
 * @property {string} family
 * @property {string[]} stems the residual, if any, last
 * @property {string | null} [residual] the stem that is the mixture minus all others
 * @property {number} segment seconds
 * @property {number} gflop_per_second
 * @property {Record<string, { overlap: number }>} presets with the options of the family
 * @property {{ name: string, url: string, notice: string } | null} licence
 * @property {{ registry: string, package: string, version: string } | null} source of the weights; an address has no version
 * @property {Record<string, Artifact[]>} artifacts by precision; none for a model without weights
 * @property {string[]} [gpu] precisions that a GPU computes with, the best first; `default` without any
 */

/** @typedef {(stage: "download" | "verify" | "create", done: number, total: number) => void} Report */

const CACHE = "demixer-models";

/** Header of a stored model with its origin: `site`, the default, or `user`. */
const ORIGIN = "X-Demixer-Origin";

/**
 * The verified content of an artifact. Tabs that need the same one download it once.
 * @param {URL} url
 * @param {Artifact} artifact
 * @param {AbortSignal} signal
 * @param {Report} report
 * @param {(problem: DemixError) => void} warn called with the reason when it cannot be kept
 * @param {number} [timeout] milliseconds without a byte after which a connection is given up
 * @returns {Promise<{ weights: Uint8Array<ArrayBuffer>, cached: boolean }>}
 */
export async function obtain(url, artifact, signal, report, warn, timeout) {
  const kept = await fromCache(artifact, report);
  if (kept) return { weights: kept, cached: true };
  report("download", 0, artifact.bytes);
  return navigator.locks.request(`demixer-model-${artifact.sha256}`, { signal }, async () => {
    const downloaded = await fromCache(artifact, report);
    if (downloaded) return { weights: downloaded, cached: true };
    const problem = await shortage(artifact);
    if (problem) warn(problem);
    const weights = await download(
      url,
      artifact,
      signal,
      (done) => report("download", done, artifact.bytes),
      timeout,
    );
    report("verify", 0, 1);
    if (!(await verified(weights, artifact))) {
      throw new DemixError("model/integrity", "The downloaded model differs from the expected one.");
    }
    report("verify", 1, 1);
    const refusal = problem ?? (await keep(weights, artifact, "site"));
    if (refusal && !problem) warn(refusal);
    return { weights, cached: !refusal };
  });
}

/**
 * True when an artifact is kept. Only verified ones are, and loading verifies them again, so the size is enough here.
 * @param {Artifact} artifact
 */
export async function isKept(artifact) {
  const response = await (await openCache())?.match(keyOf(artifact));
  return response?.headers.get("Content-Length") === String(artifact.bytes);
}

/** @param {Artifact} artifact */
export async function forget(artifact) {
  await (await openCache())?.delete(keyOf(artifact));
}

/**
 * Removes the artifacts that the site no longer offers. Those that a user added stay.
 * @param {Artifact[]} current
 */
export async function forgetOthers(current) {
  const keys = new Set(current.map(keyOf));
  const cache = await openCache();
  for (const { url } of (await cache?.keys()) ?? []) {
    const origin = (await cache?.match(url))?.headers.get(ORIGIN) ?? "site";
    if (!keys.has(url) && origin === "site") await cache?.delete(url);
  }
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

/** @param {Artifact} artifact @returns {Promise<DemixError | null>} */
async function shortage({ bytes }) {
  const { quota, usage } = await space();
  return quota === 0 || bytes <= quota - usage ? null : unkept("storage/quota");
}

/**
 * Stores verified weights.
 * @param {Uint8Array<ArrayBuffer>} weights
 * @param {Artifact} artifact
 * @param {"site" | "user"} origin
 * @returns {Promise<DemixError | null>} the reason when it could not be kept
 */
export async function keep(weights, artifact, origin) {
  try {
    const cache = await openCache();
    if (!cache) return unkept("storage/unavailable");
    const headers = { "Content-Length": `${weights.length}`, [ORIGIN]: origin };
    await cache.put(keyOf(artifact), new Response(weights, { headers }));
    return null;
  } catch (error) {
    const full = error instanceof DOMException && error.name === "QuotaExceededError";
    return unkept(full ? "storage/quota" : "storage/unavailable");
  }
}

/** @param {"storage/quota" | "storage/unavailable"} code */
const unkept = (code) =>
  new DemixError(code, "The model works from memory and will be downloaded again on the next visit.");

/** @param {Uint8Array<ArrayBuffer>} weights @param {Artifact} artifact */
async function verified(weights, artifact) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", weights));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === artifact.sha256;
}

/** The cache, or null when the browser refuses one. */
const openCache = async () => globalThis.caches?.open(CACHE).catch(() => null) ?? null;

/** @param {Artifact} artifact */
const keyOf = ({ sha256 }) => siteUrl(`models/${sha256}`).href;
