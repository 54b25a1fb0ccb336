/**
 * Messages between the page and the decode worker. Both ends call: the page to have a song decoded, the worker to use
 * `decodeAudioData`, which only a page has.
 */

import { finite, instance, listOf, nullable, object, positive, text } from "../base/shapes.js";

/** @typedef {import("../base/messages.js").Contract} Contract */
/** @typedef {import("../library/song-writer.js").Planar} Planar */
/** @typedef {import("../library/songs.js").DecodedSong} DecodedSong */

/**
 * Requests of the page. A song without a folder stays in memory, and so does one that cannot be written.
 * @typedef {{
 *   "song.decode": { data: { file: Blob, name: string, folder: string | null }, value: DecodedSong },
 *   "tags.read": { data: { files: Blob[] }, value: import("../library/tags.js").Tags[] },
 * }} Calls
 */

/**
 * Events of the worker; `alive` as long as its event loop turns.
 * @typedef {{ alive: {}, "decode.progress": { fraction: number }, requests: { urls: string[] } }} Events
 */

/**
 * Requests of the worker: the samples of a file, at a rate in Hz.
 * @typedef {{ "file.decode": { data: { file: Blob, rate: number }, value: Planar } }} PageCalls
 */

/** @type {Contract} */
export const DECODE = Object.freeze({
  version: 2,
  requests: {
    "song.decode": object({ file: instance(Blob), name: text, folder: nullable(text) }),
    "tags.read": object({ files: listOf(instance(Blob)) }),
  },
  events: {
    alive: object({}),
    "decode.progress": object({ fraction: finite }),
    requests: object({ urls: listOf(text) }),
  },
});

/** @type {Contract} */
export const PAGE_DECODER = Object.freeze({
  version: 2,
  requests: { "file.decode": object({ file: instance(Blob), rate: positive }) },
  events: {},
});
