/** Messages between the page and the export worker. */

import { anyOf, anything, count, finite, listOf, nullable, object, oneOf, text } from "../base/shapes.js";
import { storedAudio } from "../library/pieces.js";

/** @typedef {import("../base/messages.js").Contract} Contract */
/** @typedef {import("../engine/python.js").MixMeasurement} MixMeasurement */
/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("../library/songs.js").Tags} Tags */

/**
 * @typedef {{ kind: "wav", bits: 16 | 24 | 32 }
 *   | { kind: "flac", bits: 16 | 24 }
 *   | { kind: "mp3", bitrate: number }
 *   | { kind: "aac", bitrate: number }} Coding bitrate in bit/s
 */

/**
 * One file, or one track of a Stems file: a mix of the song's stems.
 * @typedef {object} Part
 * @property {string} name of the file, with its extension
 * @property {string} title for its tags
 * @property {number[][]} gains linear, by stem and channel
 * @property {number} gain linear gain of their sum
 */

/**
 * @typedef {object} Plan
 * @property {"file" | "archive" | "stems"} form one file, a ZIP of all parts in a folder, or a Stems file: the mix, then the stems
 * @property {string} folder name of the folder in a ZIP
 * @property {StoredAudio[]} stems
 * @property {Part[]} parts
 * @property {Coding} coding
 * @property {Tags} tags
 * @property {StemLabel[]} labels of the stems, for a Stems file
 */

/** @typedef {{ name: string, color: string }} StemLabel */

/**
 * @typedef {object} Destination
 * @property {FileSystemFileHandle | null} picked file to write; null to return a blob
 * @property {string | null} scratch folder in the storage for temporary files; null to keep them in memory
 */

/**
 * Requests. The file is null when it was picked; `clipped` counts the samples beyond full scale.
 * @typedef {{
 *   "mix.measure": { data: { song: StoredAudio, stems: StoredAudio[], gains: number[][] }, value: MixMeasurement },
 *   "file.write": { data: { plan: Plan, destination: Destination }, value: WrittenFile },
 * }} Calls
 */

/** @typedef {{ blob: Blob | null, clipped: number }} WrittenFile */

/**
 * Progress is that of the only request: the page makes one at a time.
 * @typedef {{ "export.progress": { fraction: number }, requests: { urls: string[] } }} Events
 */

const gains = listOf(listOf(finite));
const plan = object({
  form: oneOf("file", "archive", "stems"),
  folder: text,
  stems: listOf(storedAudio),
  parts: listOf(object({ name: text, title: text, gains, gain: finite })),
  coding: anyOf(
    object({ kind: oneOf("wav"), bits: oneOf(16, 24, 32) }),
    object({ kind: oneOf("flac"), bits: oneOf(16, 24) }),
    object({ kind: oneOf("mp3", "aac"), bitrate: count }),
  ),
  tags: object({}),
  labels: listOf(object({ name: text, color: text })),
});

/** @type {Contract} */
export const EXPORT = Object.freeze({
  version: 1,
  requests: {
    "mix.measure": object({ song: storedAudio, stems: listOf(storedAudio), gains }),
    "file.write": object({
      plan,
      destination: object({ picked: nullable(anything), scratch: nullable(text) }),
    }),
  },
  events: { "export.progress": object({ fraction: finite }), requests: object({ urls: listOf(text) }) },
});
