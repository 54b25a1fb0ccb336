/** A song of the page: where it comes from, what is known of it, and what has been made of it. */

import { songFolder } from "../library/layout.js";
import { hopFor } from "../library/measurement.js";
import { Track } from "../library/track.js";
import { deskFor } from "./desk-state.js";

/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../library/measurement.js").Normalisation} Normalisation */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("../library/songs.js").StoredSong} StoredSong */
/** @typedef {import("../library/songs.js").SongRecord} SongRecord */
/** @typedef {import("../library/songs.js").Tags} Tags */
/** @typedef {import("../decode/page/client.js").DecodedSong} DecodedSong */
/** @typedef {import("./job-progress.js").JobProgress} JobProgress */
/** @typedef {import("./desk-state.js").Desk} Desk */
/** @typedef {import("./desk-state.js").Span} Span */

/**
 * @typedef {object} Song
 * @property {string} id
 * @property {string} name of the file, without its ending
 * @property {Blob | null} file none where the song comes from the storage
 * @property {string | null} folder in the storage; none where the browser has no storage
 * @property {Tags} tags what its file says of it
 * @property {number} added when it came, in milliseconds since 1970
 * @property {"reading" | "ready" | "waiting" | "working" | "done" | "failed"} status
 * @property {number} read fraction of the file that is decoded
 * @property {Format | null} format as soon as it is read
 * @property {number} duration in seconds; 0 until it is known
 * @property {Track | null} track the song itself, with its peaks
 * @property {Normalisation | null} normalisation as soon as it is read
 * @property {Plan | null} plan how it is to be separated
 * @property {Unfinished | null} unfinished what a separation has got to that was cut off
 * @property {JobProgress | null} progress
 * @property {{ done: number, total: number } | null} download of the model, in bytes
 * @property {Track[]} stems
 * @property {Span | null} preview the part that the stems are of, where they are not of the whole song
 * @property {number | null} nullTest the stems' sum minus the song, relative to it, in dB; once it is measured
 * @property {Desk} desk
 * @property {ErrorData | null} error
 */

/** @typedef {{ rate: number, channels: number, length: number }} Format rate in Hz, length in samples */
/** @typedef {{ model: Model, preset: string, region: Span | null }} Plan `region` where only a part is asked for */
/** @typedef {{ model: string, preset: string, fraction: number }} Unfinished by the model's id */

/** @param {string} id @param {File} file @param {string | null} folder @returns {Song} */
export function newSong(id, file, folder) {
  return {
    ...blank(id, file.name.replace(/\.[^.]+$/, "")),
    file,
    folder,
    added: Date.now(),
    status: "reading",
  };
}

/**
 * A song of an earlier visit.
 * @param {StoredSong} kept
 * @param {Desk} [before] as it was left
 * @returns {Song}
 */
export function reopened({ id, facts, original, job }, before) {
  const desk = deskFor(job?.stems ?? [], before);
  const song = { ...blank(id, facts.name), folder: songFolder(id), added: facts.added, desk };
  Object.assign(song, read({ ...facts, ...original }));
  if (!job) return song;
  const { model, preset, stems, hop, finished } = job;
  if (!job.done) return { ...song, unfinished: { model, preset, fraction: finished / facts.length } };
  const tracks = stems.map((name, index) => {
    const track = new Track(name, facts.channels, facts.length, hop);
    track.append(job.tracks[index].pieces, job.tracks[index].peaks);
    return track;
  });
  return { ...song, status: "done", stems: tracks };
}

/** What is known of a song once it is read. @param {DecodedSong} song @returns {Partial<Song>} */
export function read({ rate, channels, length, tags, normalisation, peaks, pieces }) {
  const track = new Track("original", channels, length, hopFor(length));
  track.append(pieces, peaks);
  const format = { rate, channels, length };
  return { format, tags, normalisation, duration: length / rate, track, read: 1, status: "ready" };
}

/** A song as the engine takes it. @param {Song} song @returns {StoredAudio | null} nothing before it is read */
export function audioOf({ format, folder, track }) {
  return format && track && { ...format, folder, pieces: track.pieces };
}

/**
 * Empty tracks for all that a model will make of a song.
 * @param {Song} song
 * @param {Model} model
 * @param {{ start: number, stop: number }} [range] in samples, where it is not the whole song
 */
export function emptyStems({ format }, model, range) {
  if (!format) return [];
  const { channels, length } = format;
  return model.stems.map((name) => new Track(name, channels, length, hopFor(length), range));
}

/**
 * A part of a song as the engine takes it. It lies in memory or in the song's own pieces, of which nothing is copied.
 * @param {StoredAudio} audio
 * @param {{ start: number, stop: number }} range in samples
 * @returns {StoredAudio}
 */
export function partOf({ rate, channels, pieces }, { start, stop }) {
  const bytes = channels * Float32Array.BYTES_PER_ELEMENT;
  const parts = pieces
    .filter((piece) => piece.start < stop && piece.start + piece.length > start)
    .map((piece) => {
      const first = Math.max(start, piece.start);
      const last = Math.min(stop, piece.start + piece.length);
      const blob = piece.blob.slice((first - piece.start) * bytes, (last - piece.start) * bytes);
      return { start: first - start, length: last - first, blob };
    });
  return { rate, channels, length: stop - start, folder: null, pieces: parts };
}

/** A region in samples, on the grid of the peaks. @param {Format} format @param {Span} region */
export function rangeOf({ rate, length }, { start, stop }) {
  const hop = hopFor(length);
  return {
    start: Math.floor((start * rate) / hop) * hop,
    stop: Math.min(length, Math.ceil((stop * rate) / hop) * hop),
  };
}

/** Part of the song that is separated. @param {Song} song */
export function finishedPart({ stems, format }) {
  return format && stems.length > 0 ? (stems[0].available - stems[0].begin) / format.length : 0;
}

/** @param {string} id @param {string} name @returns {Song} */
function blank(id, name) {
  return {
    id,
    name,
    file: null,
    tags: {},
    folder: null,
    added: 0,
    status: "ready",
    read: 0,
    format: null,
    duration: 0,
    track: null,
    normalisation: null,
    plan: null,
    unfinished: null,
    progress: null,
    download: null,
    stems: [],
    preview: null,
    nullTest: null,
    desk: deskFor([]),
    error: null,
  };
}
