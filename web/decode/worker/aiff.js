/** The header of an AIFF or AIFF-C file, which browsers other than Safari do not know. */

import { DemixError } from "../../base/errors.js";
import { bytesAt, textAt } from "./file-bytes.js";
import { iffChunks } from "./iff-chunks.js";
import { isReadable } from "./pcm-samples.js";

/** @typedef {import("./pcm-file.js").PcmLayout} PcmLayout */
/** @typedef {import("./pcm-samples.js").SampleFormat} SampleFormat */

/** By the compression type of AIFF-C; the size is that of the header where none is given. */
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

/** Enough of the description for the compression type; its name follows. */
const DESCRIPTION_BYTES = 22;

/**
 * @param {Blob} file
 * @returns {Promise<PcmLayout | null>} nothing where it is no AIFF file
 * @throws {DemixError} `audio/unreadable` or `audio/unsupported`
 */
export async function aiffLayout(file) {
  const head = await bytesAt(file, 0, 12);
  const form = textAt(head, 8, 4);
  if (textAt(head, 0, 4) !== "FORM" || !["AIFF", "AIFC"].includes(form)) return null;
  /** @type {ReturnType<typeof describe> | null} */
  let described = null;
  let sound = { start: 0, bytes: 0 };
  // The description may follow the samples.
  for await (const { id, start, size } of iffChunks(file, false)) {
    if (id === "COMM") {
      described = describe(await bytesAt(file, start, Math.min(size, DESCRIPTION_BYTES)), form);
    } else if (id === "SSND" && start + 8 <= file.size) {
      const first = start + 8 + (await bytesAt(file, start, 4)).getUint32(0);
      sound = { start: first, bytes: Math.min(start + size, file.size) - first };
    }
  }
  if (!described)
    throw new DemixError("audio/unreadable", "The AIFF file has no description of its samples.");
  const { frames, ...layout } = described;
  return {
    ...layout,
    ...sound,
    bytes: Math.min(frames * layout.channels * layout.format.bytes, sound.bytes),
  };
}

/** @param {DataView<ArrayBuffer>} chunk @param {string} form */
function describe(chunk, form) {
  const compressed = form === "AIFC";
  if (chunk.byteLength < (compressed ? 22 : 18))
    throw new DemixError("audio/unreadable", "The header of the AIFF file is cut off.");
  const [channels, frames, bits] = [chunk.getUint16(0), chunk.getUint32(2), chunk.getUint16(6)];
  const rate = Math.round(extended(chunk, 8));
  if (channels === 0 || !(rate > 0))
    throw new DemixError("audio/unreadable", `The AIFF file claims ${channels} channels at ${rate} Hz.`);
  const type = compressed ? textAt(chunk, 18, 4) : "NONE";
  if (!Object.hasOwn(KINDS, type))
    throw new DemixError(
      "audio/unsupported",
      `The AIFF file is compressed with a codec of its own (${type.trim()}).`,
    );
  const format = {
    bytes: Math.ceil(bits / 8),
    littleEndian: false,
    ...KINDS[/** @type {keyof typeof KINDS} */ (type)],
  };
  if (!isReadable(format))
    throw new DemixError("audio/unreadable", `The AIFF file claims ${bits} bits to a sample.`);
  return { rate, channels, frames, format };
}

/**
 * An 80-bit number: sign and exponent, then 64 bits with the leading one written out.
 * @param {DataView} view
 * @param {number} at
 */
function extended(view, at) {
  const exponent = view.getUint16(at) - 0x3fff;
  return Number(view.getBigUint64(at + 2)) * 2 ** (exponent - 63);
}
