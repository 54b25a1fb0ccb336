/** Finds the samples that an encoder added to a song: a delay before it, and padding that fills the last packet. */

import {
  BlobSource,
  Input as Demuxer,
  EncodedPacketSink,
  MATROSKA,
  MP3,
  MP4,
  OGG,
  QTFF,
  WEBM,
} from "../../vendor/mediabunny/mediabunny.mjs";
import { matroskaPadding } from "./matroska-padding.js";
import { mp3Gaps } from "./mp3-padding.js";
import { mp4Span } from "./mp4-edits.js";
import { oggEnd } from "./ogg-links.js";
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

/** Samples of an HE-AAC packet, and those by which its decoder's second filter bank delays the output. */
const SBR_PACKET = 2048;
const SBR_DELAY = 962;

/**
 * The padding of a track when every packet is decoded whole; takes the pre-skip out of the track's configuration, so that
 * decoders do so.
 * @param {import("./links.js").Link} link
 * @param {Input} input of the link
 * @param {InputAudioTrack} track
 * @param {Blob | null} tagged file whose tags are the link's; null for another one than the first
 * @returns {Promise<Padding>}
 */
export async function paddingOf(link, input, track, tagged) {
  const format = await input.getFormat();
  const preSkip = await takePreSkip(track);
  if (format === MP3) return { gaps: await mp3Gaps(link, tagged), tail: 0 };
  if (format === OGG) return span(preSkip, END, await oggTail(link.file, track));
  if (format === MP4 || format === QTFF) {
    const rate = await track.getSampleRate();
    const { start, stop } = await mp4Span(link.file, track.id, rate, () => lengthOf(track));
    const packet =
      (await track.getCodec()) === "aac" && (await new EncodedPacketSink(track).getFirstPacket());
    const isSbr = packet && Math.round(packet.duration * rate) === SBR_PACKET;
    const late = isSbr && start > 0 ? SBR_DELAY / rate : 0;
    return span(Math.max(start + late, preSkip), stop + late);
  }
  if (format !== MATROSKA && format !== WEBM) return span(preSkip, END);
  const { delay, padding } = await matroskaPadding(link.file, track.id);
  return span(Math.max(delay, preSkip), END, padding);
}

/**
 * The padding of the last packet. The last page tells how many of its samples are the song's by its distance from the page
 * before; its position itself is none from the first sample, if the stream was cut.
 * @param {Blob} link
 * @param {InputAudioTrack} track
 * @returns {Promise<number>} in seconds
 */
async function oggTail(link, track) {
  const end = await oggEnd(link, track.id);
  if (!end) return 0;
  const input = new Demuxer({ formats: [OGG], source: new BlobSource(end.file) });
  try {
    const [same] = await input.getAudioTracks();
    const preSkip = await takePreSkip(same);
    let [before, after] = [-preSkip, -preSkip];
    for await (const { timestamp, duration, sequenceNumber } of new EncodedPacketSink(same).packets()) {
      after = timestamp + duration;
      if (sequenceNumber < end.last) before = after;
    }
    return Math.max(0, after - before - end.samples / (await same.getSampleRate()));
  } finally {
    input.dispose();
  }
}

/** Seconds from the first packet to the end of the last one. @param {InputAudioTrack} track */
async function lengthOf(track) {
  return (await track.computeDuration()) - (await track.getFirstTimestamp());
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
