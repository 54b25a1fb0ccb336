/**
 * The export worker's entry: renders stems with Python, encodes them and writes them where they are wanted, a block
 * at a time, so that the longest song takes no more memory than a short one. It is not the engine's worker: that one
 * may be busy with the next song for an hour.
 */

import { DemixError } from "../../base/errors.js";
import { loadBridge } from "../../engine/python.js";
import { AudioReader } from "../../library/audio-reader.js";
import { writeArchive } from "./archive.js";
import { openSink } from "./sinks.js";
import { writeStems } from "./stems-file.js";
import { writeTrack } from "./track-file.js";

/** @typedef {import("../protocol.js").Destination} Destination */
/** @typedef {import("../protocol.js").FromExporter} FromExporter */
/** @typedef {import("../protocol.js").Plan} Plan */
/** @typedef {import("../protocol.js").ToExporter} ToExporter */
/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */

/** The DOM's types take every script for a page's. */
const port = /** @type {Pick<Worker, "postMessage" | "addEventListener">} */ (/** @type {unknown} */ (self));

/** The page ends this worker to cancel. */
const NEVER = new AbortController().signal;

const started = loadBridge();
started.catch(() => {}); // the first order tells

port.addEventListener("message", async ({ data }) => {
  /** @type {ToExporter} */
  const order = data;
  try {
    tell(await (order.type === "measure" ? measure(order) : write(order)));
  } catch (error) {
    tell({ type: "failed", error: DemixError.wrap(typed(error)).toData() });
  }
});

/** @param {Extract<ToExporter, { type: "measure" }>} order @returns {Promise<FromExporter>} */
async function measure({ song, stems, gains }) {
  const bridge = await started;
  const measurement = await bridge.measureMix(reader(song), stems.map(reader), gains, NEVER, progress);
  return { type: "measured", measurement };
}

/** @param {Extract<ToExporter, { type: "write" }>} order @returns {Promise<FromExporter>} */
async function write({ plan, destination }) {
  const bridge = await started;
  const { length } = plan.stems[0];
  let clipped = 0;
  const renderings = plan.parts.map(
    ({ gains, gain }, seed) =>
      (/** @type {import("./encoders.js").Layout} */ layout) =>
        bridge.render(plan.stems.map(reader), { gains, gain, layout, seed }, (count) => {
          clipped += count;
        }),
  );
  const sink = await openSink(destination);
  /** @type {import("./track-file.js").Job} */
  const job = { plan, length, renderings, progress };
  if (plan.form === "archive") await writeArchive(job, destination, sink);
  else if (plan.form === "stems") await writeStems(job, sink);
  else await writeTrack(job, 0, sink.writable, progress);
  return { type: "written", blob: await sink.finish(), clipped };
}

/** From blobs, since the engine may be reading the same pieces. @param {StoredAudio} audio */
function reader(audio) {
  return new AudioReader(audio, null);
}

/** @param {number} fraction */
function progress(fraction) {
  tell({ type: "progress", fraction });
}

/** @param {FromExporter} message */
function tell(message) {
  port.postMessage(message);
}

/** @param {unknown} error */
function typed(error) {
  const full = error instanceof DOMException && error.name === "QuotaExceededError";
  return full ? new DemixError("storage/quota", error.message) : error;
}
