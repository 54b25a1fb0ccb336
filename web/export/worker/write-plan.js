/** Writes the file that a plan describes to its destination. */

import { writeArchive } from "./archive.js";
import { openSink } from "./sinks.js";
import { writeStemsFile } from "./stems-file.js";
import { writeTrackFile } from "./track-file.js";

/** @typedef {import("../protocol.js").Destination} Destination */
/** @typedef {import("../protocol.js").Part} Part */
/** @typedef {import("../protocol.js").Plan} Plan */
/** @typedef {import("./encoders.js").Layout} Layout */
/** @typedef {Pick<import("../../engine/python.js").Rendering, "read" | "digest" | "close">} Rendering */

/**
 * @typedef {object} Context
 * @property {AbortSignal} signal checked before every block
 * @property {(fraction: number) => void} report progress
 * @property {(part: Part, layout: Layout, seed: number) => Rendering} render
 */

/** @typedef {{ plan: Plan } & Context} Job */

/**
 * When this fails, the destination is as it was, and nothing stays open.
 * @param {Plan} plan
 * @param {Destination} destination
 * @param {Context} context
 * @returns {Promise<Blob | null>} the file; null when it was picked
 */
export async function writePlan(plan, destination, context) {
  const job = { plan, ...context };
  const sink = await openSink(destination);
  try {
    if (plan.form === "archive") await writeArchive(job, destination.scratch, sink.writable);
    else if (plan.form === "stems") await writeStemsFile(job, sink.writable);
    else await writeTrackFile(job, 0, sink.writable, job.report);
    return await sink.read();
  } finally {
    await sink.close();
  }
}
