/** Reads the header of AIFF and AIFF-C files, which only Safari decodes itself. */

import { DemixError } from "../../base/errors.js";
import { bytesAt, iffChunks, textAt } from "./file-bytes.js";
import { isReadable } from "./pcm-file.js";

/** @typedef {import("./pcm-file.js").PcmLayout} PcmLayout */

/** Sample formats by the compression type of AIFF-C; the header gives the size of those without one. */
const KINDS = /** @type {const} */ ({
  NONE: { kind: "signed" },
  twos: { kind: "signed" },
  sowt: { kind: "signed", littleEndian: true },
  in24: { kind: "signed", bytes: 3 },
  in32: { kind: "signed", bytes: 4 },
  "raw ": { kind: "unsigned" },
  fl32: { kind: "float", bytes: 4 },
  FL32: { kind: "float", bytes: 4 },
  fl64: { kind: "float", bytes: 8 },
  FL64: { kind: "float", bytes: 8 },
  alaw: { kind: "alaw", bytes: 1 },
  ALAW: { kind: "alaw", bytes: 1 },
  ulaw: { kind: "ulaw", bytes: 1 },
  ULAW: { kind: "ulaw", bytes: 1 },
});

/** Bytes of the description up to the compression type; its name follows. */
const DESCRIPTION_BYTES = 22;

/**
 * @param {Blob} file
 * @returns {Promise<PcmLayout | null>} null when the file is not AIFF
 * @throws {DemixError} `audio/unreadable` or `audio/unsupported`
 */
export async function aiffLayout(file) {
  const head = await bytesAt(file, 0, 12);
  const form = textAt(head, 8, 4);
  if (textAt(head, 0, 4) !== "FORM" || !["AIFF", "AIFC"].includes(form)) return null;
  /** @type {ReturnType<typeof describe> | null} */
  let described = null;
  let sound = { start: 0, bytes: 0, missing: 0 };
  // The description may follow the samples.
  for await (const { id, start, size } of iffChunks(file, false)) {
    if (id === "COMM") {
      described = describe(await bytesAt(file, start, Math.min(size, DESCRIPTION_BYTES)), form);
    } else if (id === "SSND" && start + 8 <= file.size) {
      const first = start + 8 + (await bytesAt(file, start, 4)).getUint32(0);
      const end = size === 0 ? file.size : Math.min(start + size, file.size); // 0 of a program that streams
      sound = { start: first, bytes: end - first, missing: Math.max(0, start + size - file.size) };
      if (size === 0) break;
    }
  }
  if (!described) throw new DemixError("audio/unreadable", "The AIFF file does not describe its samples.");
  const { frames, ...layout } = described;
  return {
    ...layout,
    ...sound,
    bytes: Math.min(frames * layout.channels * layout.format.bytes || Number.POSITIVE_INFINITY, sound.bytes),
  };
}

/** @param {DataView<ArrayBuffer>} chunk @param {string} form */
function describe(chunk, form) {
  const compressed = form === "AIFC";
  if (chunk.byteLength < (compressed ? 22 : 18))
    throw new DemixError("audio/unreadable", "The header of the AIFF file is truncated.");
  const [channels, frames, bits] = [chunk.getUint16(0), chunk.getUint32(2), chunk.getUint16(6)];
  const rate = Math.round(extended(chunk, 8));
  if (channels === 0 || !(rate > 0))
    throw new DemixError("audio/unreadable", `The AIFF file claims ${channels} channels at ${rate} Hz.`);
  const type = compressed ? textAt(chunk, 18, 4) : "NONE";
  if (!Object.hasOwn(KINDS, type))
    throw new DemixError(
      "audio/unsupported",
      `The AIFF file is compressed with an unsupported codec (${type.trim()}).`,
    );
  const format = {
    bytes: Math.ceil(bits / 8),
    littleEndian: false,
    ...KINDS[/** @type {keyof typeof KINDS} */ (type)],
  };
  if (!isReadable(format))
    throw new DemixError("audio/unreadable", `The AIFF file claims ${bits} bits a sample.`);
  return { rate, channels, frames, format };
}

/**
 * An 80-bit float: sign and exponent, then 64 bits of mantissa with an explicit leading one.
 * @param {DataView} view
 * @param {number} at
 */
function extended(view, at) {
  const exponent = view.getUint16(at) - 0x3fff;
  return Number(view.getBigUint64(at + 2)) * 2 ** (exponent - 63);
}
