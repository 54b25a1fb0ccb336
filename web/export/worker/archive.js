/** A ZIP of several audio files: each is written to a temporary file first, since its header is known last. */

import { makeZip } from "../../vendor/client-zip/client-zip.mjs";
import { dropTemporary, openTemporary } from "./sinks.js";
import { writeTrack } from "./track-file.js";

/** @typedef {import("../protocol.js").Destination} Destination */
/** @typedef {import("./sinks.js").Sink} Sink */
/** @typedef {import("./track-file.js").Job} Job */

/**
 * @param {Job} job
 * @param {Destination} destination
 * @param {Sink} sink
 */
export async function writeArchive(job, destination, sink) {
  await makeZip(members(job, destination)).pipeThrough(placed()).pipeTo(sink.writable);
}

/** Made one by one, as the ZIP comes to them. @param {Job} job @param {Destination} destination */
async function* members(job, destination) {
  const { parts, folder } = job.plan;
  for (const [index, { name }] of parts.entries()) {
    const file = await openTemporary(destination.scratch, `part-${index}`);
    await writeTrack(job, index, file.writable, (part) => job.progress((index + part) / parts.length));
    yield { name: `${folder}/${name}`, input: await whole(file), lastModified: new Date() };
    await dropTemporary(destination.scratch, `part-${index}`);
  }
}

/** @param {Sink} file */
async function whole(file) {
  return /** @type {Blob} */ (await file.finish()).stream();
}

/** A stream of bytes as one of bytes with their positions. */
function placed() {
  let position = 0;
  return new TransformStream({
    transform(/** @type {Uint8Array} */ data, controller) {
      controller.enqueue({ type: "write", data, position });
      position += data.length;
    },
  });
}
