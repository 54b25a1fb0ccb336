/** An audio file with one track. */

import { Output, StreamTarget } from "../../vendor/mediabunny/mediabunny.mjs";
import { EncodedTrack, encodeTracks, tagsWith } from "./encoded-track.js";

/** @typedef {import("./write-plan.js").Job} Job */

/**
 * @param {Job} job
 * @param {number} part index in the plan
 * @param {WritableStream} writable
 * @param {(fraction: number) => void} report
 */
export async function writeTrackFile(job, part, writable, report) {
  const track = await EncodedTrack.open(job, part);
  try {
    const target = new StreamTarget(writable, { chunked: true });
    const output = new Output({ format: track.container, target });
    output.addAudioTrack(track.source);
    output.setMetadataTags(tagsWith(job.plan, job.plan.parts[part].title));
    await encodeTracks(output, [track], job, report);
  } finally {
    track.close();
  }
}
