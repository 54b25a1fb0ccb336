/** A ZIP of all parts. Each is written to a temporary file first, since its header is known last. */

import { makeZip } from "../../vendor/client-zip/client-zip.mjs";
import { openTemporary, removeTemporary } from "./sinks.js";
import { writeTrackFile } from "./track-file.js";

/** @typedef {import("./write-plan.js").Job} Job */

/**
 * @param {Job} job
 * @param {string | null} scratch folder for the temporary files
 * @param {WritableStream} writable
 */
export async function writeArchive(job, scratch, writable) {
  const files = trackFiles(job, scratch);
  try {
    await makeZip(files).pipeThrough(withPositions()).pipeTo(writable);
  } finally {
    await files.return(); // `makeZip` does not end it when the ZIP cannot be written
  }
}

/** The files of the ZIP, each written when the ZIP needs it. @param {Job} job @param {string | null} scratch */
async function* trackFiles(job, scratch) {
  const { parts, folder } = job.plan;
  for (const [index, { name }] of parts.entries()) {
    const temporary = `part-${index}`;
    const sink = await openTemporary(scratch, temporary);
    try {
      await writeTrackFile(job, index, sink.writable, (done) => job.report((index + done) / parts.length));
      const file = /** @type {Blob} */ (await sink.read());
      yield { name: `${folder}/${name}`, input: file.stream(), lastModified: new Date() };
    } finally {
      await sink.close();
      await removeTemporary(scratch, temporary);
    }
  }
}

/** Turns a stream of bytes into one of bytes with their positions. */
function withPositions() {
  let position = 0;
  return new TransformStream({
    transform(/** @type {Uint8Array} */ data, controller) {
      controller.enqueue({ type: "write", data, position });
      position += data.length;
    },
  });
}
