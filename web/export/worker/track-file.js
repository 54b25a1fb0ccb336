/** One audio file: a mix of stems, rendered by Python, encoded and put into its container. */

import { Output, StreamTarget } from "../../vendor/mediabunny/mediabunny.mjs";
import { AudioPackets } from "./audio-packets.js";
import { openCoder } from "./encoders.js";

/** @typedef {import("./encoders.js").Layout} Layout */
/** @typedef {import("../protocol.js").Plan} Plan */
/** @typedef {import("../protocol.js").Tags} Tags */
/** @typedef {import("../../engine/python.js").Rendering} Rendering */

/**
 * @typedef {object} Job
 * @property {Plan} plan
 * @property {number} length in samples
 * @property {((layout: Layout) => Rendering)[]} renderings of each part
 * @property {(fraction: number) => void} progress
 */

/** Samples that are rendered together. */
export const BLOCK = 1 << 16;

/**
 * @param {Job} job
 * @param {number} part
 * @param {WritableStream} writable
 * @param {(fraction: number) => void} progress
 */
export async function writeTrack({ plan, length, renderings }, part, writable, progress) {
  const coder = await openCoder(plan.coding, partAudio(plan, part));
  const output = new Output({
    format: coder.container,
    target: new StreamTarget(writable, { chunked: true }),
  });
  const packets = new AudioPackets(coder, plan.stems[0].rate, length);
  output.addAudioTrack(packets.source);
  output.setMetadataTags(tagsOf(plan, part));
  await output.start();
  const rendering = renderings[part](coder.layout);
  for (let start = 0; start < length; start += BLOCK) {
    const stop = Math.min(start + BLOCK, length);
    await packets.add(await rendering.read(start, stop), stop - start);
    progress(stop / length);
  }
  rendering.close();
  await packets.finish();
  await output.finalize();
}

/**
 * The song's own tags, with the part's title in the place of the song's.
 * @param {Plan} plan
 * @param {number} part
 */
export function tagsOf({ tags: { date, ...tags }, parts }, part) {
  return { ...tags, ...(date ? { date: new Date(date) } : {}), title: parts[part].title };
}

/**
 * What a part sounds like: a song of one channel may have two in its mix.
 * @param {Plan} plan
 * @param {number} part
 */
export function partAudio({ stems, parts }, part) {
  return { ...stems[0], channels: parts[part].gains[0].length };
}
