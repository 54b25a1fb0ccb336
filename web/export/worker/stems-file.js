/**
 * A Stems file, as DJ software reads it: an MP4 with the mix as its first track, then its four stems, and their names and
 * colours in a `stem` box.
 */

import { Mp4OutputFormat, Output, StreamTarget } from "../../vendor/mediabunny/mediabunny.mjs";
import { containerTags } from "../tags.js";
import { EncodedTrack, encodeTracks } from "./encoded-track.js";
import { withEnding } from "./ending.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").StreamTargetChunk} Chunk */
/** @typedef {import("../protocol.js").StemLabel} StemLabel */
/** @typedef {import("./write-plan.js").Job} Job */

/** @typedef {{ data: Uint8Array<ArrayBuffer>, start: number }} Moov the tables of the file, and their position in it */

const HEADER_BYTES = 8;

/** @param {Job} job @param {WritableStream<Chunk>} writable */
export async function writeStemsFile(job, writable) {
  const { parts, labels, tags, folder } = job.plan;
  /** @type {Moov} */
  const moov = { data: new Uint8Array(), start: 0 };
  const format = new Mp4OutputFormat({
    fastStart: false, // the tables at the end, so nothing waits in memory
    onMoov: (data, start) => Object.assign(moov, { data, start }),
  });
  const target = new StreamTarget(
    withEnding(writable, (write) => addToTables(moov, stemBox(labels), write)),
    { chunked: true },
  );
  const output = new Output({ format, target });
  /** @type {EncodedTrack[]} */
  const tracks = [];
  try {
    for (const [index, { title }] of parts.entries()) {
      const track = await EncodedTrack.open(job, index);
      tracks.push(track);
      output.addAudioTrack(track.source, { name: title, disposition: { default: index === 0 } });
    }
    output.setMetadataTags(containerTags(tags, tags.title ?? folder, "aac"));
    await encodeTracks(output, tracks, job, job.report);
  } finally {
    for (const track of tracks) track.close();
  }
}

/** Settings of the player's compressor and limiter that leave the mix unchanged. */
const MASTERING = {
  compressor: {
    enabled: false,
    input_gain: 0,
    output_gain: 0,
    threshold: 0,
    dry_wet: 0,
    attack: 0.003,
    release: 0.3,
    ratio: 1,
    hp_cutoff: 20,
  },
  limiter: { enabled: false, threshold: 0, ceiling: 0, release: 0.05 },
};

/** The `stem` box: JSON in `moov.udta`, for which mediabunny has no option. @param {StemLabel[]} stems */
function stemBox(stems) {
  return box(
    "stem",
    new TextEncoder().encode(JSON.stringify({ mastering_dsp: MASTERING, version: 1, stems })),
  );
}

/**
 * Adds a box to `moov.udta`. The tables end the file, and tags, if there are any, end the tables: so the box goes to the
 * end, and the boxes around it grow.
 * @param {Moov} moov
 * @param {Uint8Array<ArrayBuffer>} added
 * @param {import("./ending.js").Write} write
 */
async function addToTables(moov, added, write) {
  const udta = lastBox(moov.data);
  const tail = udta.type === "udta" ? added : box("udta", added);
  await write(tail, moov.start + moov.data.length);
  await write(word(moov.data.length + tail.length), moov.start);
  if (udta.type === "udta") await write(word(udta.size + tail.length), moov.start + udta.start);
}

/** The last box inside another one. @param {Uint8Array} outer */
function lastBox(outer) {
  const view = new DataView(outer.buffer, outer.byteOffset, outer.byteLength);
  let last = { start: 0, size: 0, type: "" };
  for (let start = HEADER_BYTES; start < outer.length; start += last.size) {
    const type = new TextDecoder().decode(outer.subarray(start + 4, start + HEADER_BYTES));
    last = { start, size: view.getUint32(start), type };
  }
  return last;
}

/** @param {string} type @param {Uint8Array<ArrayBuffer>} content */
function box(type, content) {
  const bytes = new Uint8Array(HEADER_BYTES + content.length);
  bytes.set(word(bytes.length));
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, HEADER_BYTES);
  return bytes;
}

/** @param {number} value */
function word(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
