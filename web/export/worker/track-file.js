/** An audio file with one track. */

import { Output, StreamTarget } from "../../vendor/mediabunny/mediabunny.mjs";
import { containerTags, wavTags } from "../tags.js";
import { EncodedTrack, encodeTracks } from "./encoded-track.js";
import { withEnding } from "./ending.js";

/** @typedef {import("./ending.js").Write} Write */
/** @typedef {import("./write-plan.js").Job} Job */

/** Where the first block of a FLAC file has the MD5 of its samples (RFC 9639, section 8.2). */
const FLAC_MD5 = 26;

/** Where a WAV file has its size: in its header, or in the `ds64` chunk of one that is too large for it. */
const RIFF_SIZE = 4;
const RF64_SIZE = 20;

/**
 * @param {Job} job
 * @param {number} part index in the plan
 * @param {WritableStream} writable
 * @param {(fraction: number) => void} report
 */
export async function writeTrackFile(job, part, writable, report) {
  const track = await EncodedTrack.open(job, part);
  const { coding, tags, parts } = job.plan;
  const { title } = parts[part];
  try {
    const ended = withEnding(writable, async (write, size) => {
      if (coding.kind === "wav") await endWav(write, size, wavTags(tags, title), track.isLarge);
      if (coding.kind === "flac") await write(track.digest(), FLAC_MD5);
    });
    const output = new Output({
      format: track.container,
      target: new StreamTarget(ended, { chunked: true }),
    });
    output.addAudioTrack(track.source);
    if (coding.kind !== "wav") output.setMetadataTags(containerTags(tags, title, coding.kind));
    await encodeTracks(output, [track], job, report);
  } finally {
    track.close();
  }
}

/**
 * Adds chunks to a WAV file.
 * @param {Write} write
 * @param {number} size of the file
 * @param {Uint8Array<ArrayBuffer>} chunks
 * @param {boolean} isLarge
 */
async function endWav(write, size, chunks, isLarge) {
  const odd = size % 2;
  await write(Uint8Array.from([...new Uint8Array(odd), ...chunks]), size);
  const whole = new DataView(new ArrayBuffer(8));
  whole.setBigUint64(0, BigInt(size + odd + chunks.length - 8), true);
  await write(new Uint8Array(whole.buffer, 0, isLarge ? 8 : 4), isLarge ? RF64_SIZE : RIFF_SIZE);
}
