/**
 * The export worker's entry. It has its own Python, because the engine's may be busy with the next song for an hour,
 * and works block by block, so a long song takes no more memory than a short one.
 */

import { parentPort, serve } from "../../base/messages.js";
import { watchRequests } from "../../base/requests.js";
import { until } from "../../base/waiting.js";
import { loadBridge } from "../../engine/python.js";
import { AudioReader } from "../../library/audio-reader.js";
import { EXPORT } from "../protocol.js";
import { writePlan } from "./write-plan.js";

/** @typedef {import("../../base/messages.js").Emit<import("../protocol.js").Events>} Emit */
/** @typedef {import("../../base/messages.js").Handlers<import("../protocol.js").Calls>} Handlers */
/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */

const loading = loadBridge();
loading.catch(() => {}); // the requests report its error

serve(parentPort, EXPORT, (/** @type {Emit} */ emit) => {
  watchRequests((urls) => emit("requests", { urls }));
  const report = (/** @type {number} */ fraction) => emit("export.progress", { fraction });
  /** @type {Handlers} */
  const handlers = {
    "mix.measure": async ({ song, stems, gains }, signal) => {
      const bridge = await until(signal, loading);
      return bridge.measureMix(reader(song), stems.map(reader), gains, signal, report);
    },
    "file.write": async ({ plan, destination }, signal) => {
      const bridge = await until(signal, loading);
      let clipped = 0;
      const blob = await writePlan(plan, destination, {
        signal,
        report,
        render: ({ gains, gain }, layout, seed) =>
          bridge.render(plan.stems.map(reader), { gains, gain, layout, seed }, (count) => {
            clipped += count;
          }),
      });
      return { blob, clipped };
    },
  };
  return handlers;
});

/** Reads from blobs: the engine may have locked the same pieces. @param {StoredAudio} audio */
function reader(audio) {
  return new AudioReader(audio, null);
}
