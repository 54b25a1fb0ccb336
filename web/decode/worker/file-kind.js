/** What a file is that cannot be read, by what it begins with. */

import { bytesAt, textAt } from "./file-bytes.js";

/** Not songs. @type {[RegExp, string][]} */
const OTHERS = [
  [/^PK/, "a ZIP archive"],
  [/^Rar!/, "a RAR archive"],
  [/^7z\xbc\xaf/, "a 7-Zip archive"],
  [/^\s*<(!doctype html|html)/i, "a web page"],
  [/^%PDF/, "a PDF document"],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP)/s, "a picture"],
  [/^MThd/, "a MIDI file, which holds notes instead of sound"],
  [/^#EXTM3U/, "a playlist"],
];

/** Songs that browsers do not decode. @type {[RegExp, string][]} */
const FORMATS = [
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
];

/**
 * @param {Blob} file
 * @returns {Promise<{ song: boolean, name: string } | null>} nothing where it is not known
 */
export async function fileKind(file) {
  const head = textAt(await bytesAt(file, 0, 64), 0, 64);
  const named = (/** @type {[RegExp, string][]} */ kinds) =>
    kinds.find(([pattern]) => pattern.test(head))?.[1];
  const [other, format] = [named(OTHERS), named(FORMATS)];
  if (other) return { song: false, name: other };
  return format ? { song: true, name: format } : null;
}
