/** Finds the samples that an encoder added to a song: a delay before it, and padding that fills the last packet. */

import { MATROSKA, MP3, MP4, OGG, QTFF, WEBM } from "../../vendor/mediabunny/mediabunny.mjs";
import { matroskaDelay } from "./matroska-delay.js";
import { mp3Gaps } from "./mp3-padding.js";
import { mp4Span } from "./mp4-edits.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").Input} Input */
/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */

/** @typedef {[start: number, stop: number]} Gap samples that are not the song, in seconds from the first decoded one */

const END = Number.POSITIVE_INFINITY;

const OPUS_RATE = 48_000;

/**
 * @param {Blob} file
 * @param {Input} input
 * @param {InputAudioTrack} track
 * @returns {Promise<Gap[]>} in order
 */
export async function gapsOf(file, input, track) {
  const format = await input.getFormat();
  if (format === MP3) return mp3Gaps(file);
  if (format === OGG) return [[await track.computeDuration(), END]];
  const { start, stop } = await spanOf(file, format, track);
  const skipped = await skippedByDecoder(track);
  return [
    [0, start - skipped],
    [stop - skipped, END],
  ];
}

/** @param {Blob} file @param {unknown} format @param {InputAudioTrack} track */
async function spanOf(file, format, track) {
  if (format === MP4 || format === QTFF) return mp4Span(file, track.id, await track.getSampleRate());
  const hasDelay = format === MATROSKA || format === WEBM;
  return { start: hasDelay ? await matroskaDelay(file, track.id) : 0, stop: END };
}

/** Seconds that the decoder itself leaves out: Opus names them in its header. @param {InputAudioTrack} track */
async function skippedByDecoder(track) {
  const description = (await track.getDecoderConfig())?.description;
  if ((await track.getCodec()) !== "opus" || !description) return 0;
  const { buffer, byteOffset } = /** @type {Uint8Array} */ (description);
  return new DataView(buffer, byteOffset).getUint16(10, true) / OPUS_RATE;
}
