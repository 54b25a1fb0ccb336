/** Files that the demuxer does not know: the page decodes them whole, or they are refused with a reason. */

import { DemixError } from "../../base/errors.js";
import { bytesAt, textAt } from "./file-bytes.js";
import { tagBytes } from "./id3-length.js";
import { NO_PADDING } from "./padding.js";
import { planarSamples, songBlocks } from "./song-blocks.js";

/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./decode.js").DecodeWhole} DecodeWhole */

/** In Hz, for files whose own rate cannot be read. */
const DEFAULT_RATE = 44_100;

/** First bytes of files without audio. @type {[RegExp, string][]} */
const NOT_AUDIO = [
  [/^PK/, "a ZIP archive"],
  [/^Rar!/, "a RAR archive"],
  [/^7z\xbc\xaf/, "a 7-Zip archive"],
  [/^\s*<(!doctype html|html)/i, "a web page"],
  [/^%PDF/, "a PDF document"],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP)/s, "a picture"],
  [/^MThd/, "a MIDI file, which holds notes instead of sound"],
  [/^#EXTM3U/, "a playlist"],
];

/** First bytes of audio files that browsers do not decode. @type {[RegExp, string][]} */
const UNSUPPORTED = [
  [/^\x30\x26\xb2\x75/, "Windows Media"],
  [/^caff/, "Core Audio (CAF)"],
  [/^(\.snd|dns\.)/, "Sun audio (AU)"],
  [/^riff\.\x91\xcf/, "Wave64"],
  [/^RIFF....AVI /s, "AVI"],
  [/^FLV/, "Flash video"],
  [/^#!AMR/, "AMR"],
  [/^MAC /, "Monkey's Audio"],
  [/^wvpk/, "WavPack"],
  [/^(MPCK|MP\+)/, "Musepack"],
  [/^(DSD |FRM8)/, "DSD"],
  [/^\0\0.[\xba\xb3]/s, "an MPEG program stream"],
  [/^\vw/, "Dolby Digital (AC-3)"],
  [/^\xff[\xf4-\xf7\xfc-\xff]/, "MPEG audio of layer I or II"],
  [/^\xff[\xe2\xe3\xf2\xf3\xfa\xfb][^\f-\xff]/, "MP3 of a free format"],
];

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {boolean} isAudio
 */

/**
 * A kind of file that the demuxer would take for another one, or not know.
 * @param {Blob} file
 * @returns {Promise<Kind | null>} null for all other files
 */
export async function kindOf(file) {
  const head = textAt(await bytesAt(file, await tagBytes(file), 64), 0, 64);
  const [notAudio, audio] = [match(NOT_AUDIO, head), match(UNSUPPORTED, head)];
  const name = notAudio ?? audio;
  return name ? { name, isAudio: !notAudio } : null;
}

/**
 * Blocks of a file in a container that the demuxer does not know.
 * @param {Blob} file
 * @param {Kind | null} kind
 * @param {DecodeWhole} decodeWhole
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError}
 */
export async function* unknownBlocks(file, kind, decodeWhole) {
  if (kind && !kind.isAudio) throw new DemixError("audio/unreadable", `The file is ${kind.name}.`, "kind");
  const planar = await decodeWhole(file, DEFAULT_RATE).catch(() => {
    if (kind) throw undecodable(kind.name);
    throw new DemixError("audio/unreadable", "The file does not begin like any audio file.");
  });
  const duration = planar.channels[0].length / planar.rate;
  yield* songBlocks(planarSamples(planar), NO_PADDING, (seconds) => Math.min(1, seconds / duration));
}

/** @param {[RegExp, string][]} kinds @param {string} head of a file @returns {string | undefined} name of its kind */
function match(kinds, head) {
  return kinds.find(([pattern]) => pattern.test(head))?.[1];
}

/** @param {string} name of a codec or container */
export function undecodable(name) {
  return new DemixError("audio/unsupported", `This browser has no decoder for ${name}.`);
}
