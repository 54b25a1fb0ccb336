/** Loading of the program's own parts, whose failures are no defects of the program: networks fail. */

import { DemixError, messageOf, spoilsWorker } from "./errors.js";
import { siteUrl } from "./site.js";

/** Time in which a server answers, and a script of some kilobytes arrives. */
const TIMEOUT_MS = 60_000;

/**
 * The outcome of `fetch` or `import`, which report a network that fails as a `TypeError`, and one that is silent never.
 * @template T
 * @param {Promise<T>} part
 * @returns {Promise<T>}
 * @throws {DemixError} `program/network`
 */
export async function loaded(part) {
  try {
    return await answered(part);
  } catch (reason) {
    if (reason instanceof DemixError) throw reason;
    throw new DemixError("program/network", messageOf(reason));
  }
}

/**
 * A file of the site. An error page is none.
 * @param {string} path
 * @throws {DemixError} `program/network`
 */
export async function fetchPart(path) {
  const response = await loaded(fetch(siteUrl(path)));
  const isPage = response.headers.get("content-type")?.startsWith("text/html");
  if (response.ok && !isPage) return response;
  throw new DemixError("program/network", `The server has no ${path}.`);
}

/**
 * An error during a start: of the runtime, unless it is the network's or a defect of the program.
 * @param {unknown} thrown
 */
export function startError(thrown) {
  const error = DemixError.wrap(thrown, "runtime/start-failed");
  return spoilsWorker(error) ? error : new DemixError("runtime/start-failed", error.message);
}

/** @template T @param {Promise<T>} part @returns {Promise<T>} */
function answered(part) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error("The server does not answer."));
    const timer = setTimeout(giveUp, TIMEOUT_MS);
    part.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
