/**
 * Every message between the page and the export worker. One order is worked on at a time; to cancel, the page ends
 * the worker.
 */

/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */

/** @typedef {{ title?: string, artist?: string, album?: string, albumArtist?: string, genre?: string,
 *   comment?: string, date?: string, trackNumber?: number }} Tags of a song, as its file has them; the date as ISO 8601 */

/**
 * @typedef {{ kind: "wav", bits: 16 | 24 | 32 }
 *   | { kind: "flac", bits: 16 | 24 }
 *   | { kind: "mp3", bitrate: number }
 *   | { kind: "aac", bitrate: number }} Coding bitrate in bit/s
 */

/**
 * One file, or one track of a Stems file: a mix of the song's stems.
 * @typedef {object} Part
 * @property {string} name of the file, with its ending
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
 * Where the file goes.
 * @typedef {object} Destination
 * @property {FileSystemFileHandle | null} picked the file that was picked, where the browser lets one be picked
 * @property {string | null} scratch folder in the storage for whatever is temporary; without it, memory is taken
 */

/** @typedef {{ stems: number[], mix: number, residual: number }} MixMeasurement as `demixer.mixdown.MixMeasurement` */

/** @typedef {{ type: "measure", song: StoredAudio, stems: StoredAudio[], gains: number[][] }
 *   | { type: "write", plan: Plan, destination: Destination }} ToExporter */
/** @typedef {{ type: "progress", fraction: number }
 *   | { type: "measured", measurement: MixMeasurement }
 *   | { type: "written", blob: Blob | null, clipped: number }
 *   | { type: "failed", error: ErrorData }} FromExporter */

export {};
