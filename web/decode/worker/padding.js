/** Finds the samples that an encoder added to a song: a delay before it, and padding that fills the last packet. */

import { MATROSKA, MP3, MP4, OGG, QTFF, WEBM } from "../../vendor/mediabunny/mediabunny.mjs";
import { matroskaPadding } from "./matroska-padding.js";
import { mp3Gaps } from "./mp3-padding.js";
import { mp4Span } from "./mp4-edits.js";
import { takePreSkip } from "./opus-header.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").Input} Input */
/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */

/** @typedef {[start: number, stop: number]} Gap samples that are not the song, in seconds from the first decoded one */

/**
 * @typedef {object} Padding
 * @property {Gap[]} gaps in order
 * @property {number} tail in seconds before the end of the last packet
 */

/** @type {Padding} */
export const NO_PADDING = Object.freeze({ gaps: [], tail: 0 });

const END = Number.POSITIVE_INFINITY;

/**
 * The padding of a track when every packet is decoded whole; takes the pre-skip out of the track's configuration, so that
 * decoders do so.
 * @param {Blob} file
 * @param {Input} input
 * @param {InputAudioTrack} track
 * @returns {Promise<Padding>}
 */
export async function paddingOf(file, input, track) {
  const format = await input.getFormat();
  const preSkip = await takePreSkip(track);
  if (format === MP3) return { gaps: await mp3Gaps(file), tail: 0 };
  if (format === OGG) return span(preSkip, preSkip + (await track.computeDuration()));
  if (format === MP4 || format === QTFF) {
    const { start, stop } = await mp4Span(file, track.id, await track.getSampleRate());
    return span(Math.max(start, preSkip), stop);
  }
  if (format !== MATROSKA && format !== WEBM) return span(preSkip, END);
  const { delay, padding } = await matroskaPadding(file, track.id);
  return span(Math.max(delay, preSkip), END, padding);
}

/**
 * @param {number} start of the song, in seconds from the first decoded sample
 * @param {number} stop
 * @param {number} [tail]
 * @returns {Padding}
 */
function span(start, stop, tail = 0) {
  return {
    gaps: [
      [0, start],
      [stop, END],
    ],
    tail,
  };
}
