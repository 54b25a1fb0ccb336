/** The part of a song that its file lacks: what was decoded is held against what the file counts. */

import { FLAC, MP3, MP4, QTFF } from "../../vendor/mediabunny/mediabunny.mjs";
import { mp3Missing } from "./mp3-padding.js";
import { boxes } from "./structure.js";

/** @typedef {import("../../library/songs.js").Loss} Loss */

/** Tells that a part of the song is missing. @typedef {(loss: Loss) => void} ReportLoss */

/** Most samples that may be missing of an MP4, whose tables may count padding. */
const SLACK = 4096;

/** In seconds: a file that claims more is damaged, or does not know its length. */
const MAX_CLAIM = 86_400;

/**
 * Adds up the losses of the links of a song.
 * @param {Loss | null} one
 * @param {Loss} other
 * @returns {Loss}
 */
export function sumOf(one, other) {
  return { seconds: (one?.seconds ?? 0) + (other.seconds ?? 0) || null };
}

/**
 * @param {import("./links.js").Link} link
 * @param {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} track of the link
 * @param {import("./padding.js").Padding} padding
 * @param {number} decoded samples of the song
 * @param {number} rate in Hz
 * @returns {Promise<Loss | null>} null when all of the song is there
 */
export async function lossOf(link, track, { gaps }, decoded, rate) {
  const format = await track.input.getFormat();
  let missing = 0;
  let broken = link.isCut;
  if (format === MP3) missing = await mp3Missing(link);
  if (format === FLAC) missing = Math.round(((await track.getDurationFromMetadata()) ?? 0) * rate) - decoded;
  if (format === MP4 || format === QTFF) {
    const { isCut: isBroken, isFragmented } = await boxes(link.file);
    const [[, start], [stop]] = gaps;
    const left = isFragmented ? 0 : Math.round((stop - start) * rate) - decoded;
    missing = left > SLACK ? left : 0;
    broken ||= isBroken;
  }
  if (missing > 0 && missing < MAX_CLAIM * rate) return { seconds: missing / rate };
  return broken ? { seconds: null } : null;
}
