/** Reads the header of WAV files: RIFF, big-endian RIFX, and RF64 for more than 4 GiB. */

import { DemixError } from "../../base/errors.js";
import { bytesAt, iffChunks, textAt } from "./file-bytes.js";
import { isReadable } from "./pcm-file.js";

/** @typedef {import("./pcm-file.js").PcmLayout} PcmLayout */
/** @typedef {import("./pcm-file.js").SampleFormat} SampleFormat */

/** WAVE_FORMAT_EXTENSIBLE: the real tag begins the GUID at byte 24. */
const EXTENSIBLE = 0xfffe;

const MP3_TAG = 0x55;

/**
 * True for sizes that programs write when they stream and do not know the size yet; `is_unknown` of
 * `demixer.runtimes.structure` is the same.
 * @param {number} size
 */
function isUnknown(size) {
  return size === 0 || (size >= 0x7fff_0000 && size < 0x8000_0000) || size >= 0xffff_0000;
}

/**
 * @param {Blob} file
 * @returns {Promise<PcmLayout | null>} null when the file is not WAV
 * @throws {DemixError} `audio/unreadable` or `audio/unsupported`
 */
export async function wavLayout(file) {
  const head = await bytesAt(file, 0, 12);
  const form = textAt(head, 0, 4);
  if (!["RIFF", "RIFX", "RF64", "BW64"].includes(form) || textAt(head, 8, 4) !== "WAVE") return null;
  const little = form !== "RIFX";
  /** @type {{ rate: number, channels: number, format: SampleFormat } | null} */
  let described = null;
  /** @type {{ start: number, size: number } | null} */
  let data = null;
  let longSize = 0;
  for await (const { id, start, size } of iffChunks(file, little)) {
    if (id === "ds64") longSize = Number((await bytesAt(file, start + 8, 8)).getBigUint64(0, true));
    else if (id === "fmt ") described = describe(await bytesAt(file, start, Math.min(size, 40)), little);
    else if (id === "data") data ??= { start, size };
    if (described && data) break;
  }
  if (!described || !data) {
    const problem = described ? "has no samples" : "does not describe its samples";
    throw new DemixError("audio/unreadable", `The WAV file ${problem}.`);
  }
  const { start, size } = data;
  const exists = file.size - start;
  const claimed = isUnknown(size) ? longSize || exists : size;
  const bytes = Math.min(claimed, exists);
  return { ...described, start, bytes, missing: claimed - bytes };
}

/** The MP3 stream that a WAV file holds instead of samples. @param {Blob} file @returns {Promise<Blob | null>} */
export async function mp3InWav(file) {
  const head = await bytesAt(file, 0, 12);
  if (textAt(head, 0, 4) !== "RIFF" || textAt(head, 8, 4) !== "WAVE") return null;
  let isMp3 = false;
  let data = null;
  for await (const { id, start, size } of iffChunks(file, true)) {
    if (id === "fmt " && start + 2 <= file.size)
      isMp3 = (await bytesAt(file, start, 2)).getUint16(0, true) === MP3_TAG;
    else if (id === "data") data = file.slice(start, isUnknown(size) ? file.size : start + size);
  }
  return isMp3 ? data : null;
}

/** @param {DataView<ArrayBuffer>} chunk @param {boolean} little */
function describe(chunk, little) {
  if (chunk.byteLength < 16)
    throw new DemixError("audio/unreadable", "The header of the WAV file is truncated.");
  const short = (/** @type {number} */ at) => chunk.getUint16(at, little);
  const tag = short(0) === EXTENSIBLE && chunk.byteLength >= 26 ? short(24) : short(0);
  const [channels, rate, frameBytes, bits] = [short(2), chunk.getUint32(4, little), short(12), short(14)];
  if (channels === 0 || rate === 0)
    throw new DemixError("audio/unreadable", `The WAV file claims ${channels} channels at ${rate} Hz.`);
  // A sample may take more bytes than its bits need.
  const container = frameBytes % channels === 0 ? frameBytes / channels : 0;
  const bytes = container * 8 >= bits ? container : Math.ceil(bits / 8);
  const kind = kindOf(tag, bytes);
  const format = kind && { kind, bytes, littleEndian: little };
  if (!format || !isReadable(format)) {
    const name = `format ${tag} with ${bits} bits`;
    throw new DemixError(
      "audio/unsupported",
      `The WAV file is compressed or has an unusual sample format (${name}).`,
    );
  }
  return { rate, channels, format };
}

/** @param {number} tag @param {number} bytes @returns {import("./pcm-file.js").SampleKind | null} */
function kindOf(tag, bytes) {
  if (tag === 1) return bytes === 1 ? "unsigned" : "signed";
  if (tag === 3) return "float";
  if (tag === 6) return "alaw";
  return tag === 7 ? "ulaw" : null;
}
