/**
 * A song of the page, and everything that can happen to it.
 *
 * A `Song` is a frozen record. `transition` makes the next one from it; `Songs` keeps the current one, and all other
 * parts send it intents:
 *
 *     intent       from                           to
 *     decoding     decoding                       decoding
 *     decoded      decoding                       waiting if it is planned, else ready
 *     retried      failed to decode               decoding
 *     planned      decoding                       decoding
 *                  ready, waiting, done, failed   waiting
 *     unplanned    decoding, waiting              decoding, ready
 *     started      waiting                        working
 *     progressed   working                        working
 *     extended     working                        working
 *     finished     working                        done; ready after a preview
 *     stopped      working                        ready
 *     failed       decoding, waiting, working     failed
 *     discarded    ready or failed, unfinished    ready
 *     nullTested   any                            the same
 *     deskChanged  any                            the same
 *
 * Any other transition is a defect of the caller, and throws. Tracks grow in place while a song is working.
 */

import { songName } from "../base/names.js";
import { songFolder } from "../library/layout.js";
import { hopFor } from "../library/measurement.js";
import { Track } from "../library/track.js";
import { deskFor } from "./desk.js";
import { emptyStems, rangeOf, separatedPart } from "./song-audio.js";

/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../library/job-output.js").StemChunk} StemChunk */
/** @typedef {import("../library/measurement.js").Normalisation} Normalisation */
/** @typedef {import("../library/songs.js").DecodedSong} DecodedSong */
/** @typedef {import("../library/songs.js").Loss} Loss */
/** @typedef {import("../library/songs.js").StoredSong} StoredSong */
/** @typedef {import("../library/songs.js").Tags} Tags */
/** @typedef {import("./progress.js").JobProgress} JobProgress */
/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Span} Span */

/** @typedef {"decoding" | "ready" | "waiting" | "working" | "done" | "failed"} Status */

/**
 * @typedef {object} SongFields
 * @property {string} id
 * @property {string} name of the file, without its extension
 * @property {Blob | null} file null when the song comes from the storage
 * @property {string | null} folder in the storage; null when the song is in memory
 * @property {Tags} tags of its file
 * @property {Loss | null} loss the part that its file lacks
 * @property {number} added time of arrival, in milliseconds since 1970
 * @property {boolean} fresh true until a separation of a song of this visit is planned
 * @property {Status} status
 * @property {number} decoded fraction of the file
 * @property {Format | null} format null until it is decoded
 * @property {number} duration in seconds; 0 until it is decoded
 * @property {Track | null} track the song itself, with its peaks
 * @property {Normalisation | null} normalisation null until it is decoded
 * @property {Plan | null} plan of the next, current or failed separation
 * @property {Unfinished | null} unfinished separation that can be resumed
 * @property {JobProgress | null} progress of the separation that runs
 * @property {{ done: number, total: number } | null} download of the model, in bytes
 * @property {Track[]} stems
 * @property {Span | null} preview the part that the stems cover; null for the whole song
 * @property {number | null} nullTest the stems' sum minus the song, relative to the song, in dB; null until measured
 * @property {Desk} desk
 * @property {ErrorData | null} error
 */

/** @typedef {Readonly<SongFields>} Song */
/** @typedef {{ rate: number, channels: number, length: number }} Format rate in Hz, length in samples */
/** @typedef {{ model: Model, preset: string, region: Span | null }} Plan `region` is the part of a preview */
/** @typedef {{ model: string, preset: string, fraction: number }} Unfinished `model` is an id */

/** @param {string} id @param {File} file @param {string | null} folder @returns {Song} */
export function newSong(id, file, folder) {
  return Object.freeze({
    ...blank(id, songName(file.name)),
    file,
    folder,
    added: Date.now(),
    fresh: true,
    status: "decoding",
  });
}

/**
 * A song of an earlier visit.
 * @param {StoredSong} stored
 * @param {Desk} [desk] as it was left
 * @param {{ model: string, preset: string } | null} [plan] of a separation that has not begun
 * @returns {Song}
 */
export function reopenedSong({ id, facts, original, job }, desk, plan = null) {
  /** @type {SongFields} */
  const song = {
    ...blank(id, facts.name),
    ...decodedFields({ ...facts, ...original, folder: songFolder(id) }),
    added: facts.added,
    desk: deskFor(job?.stems ?? [], desk),
    status: job?.done ? "done" : "ready",
  };
  if (!job) return Object.freeze({ ...song, unfinished: plan && { ...plan, fraction: 0 } });
  const { model, preset, stems, hop, finished } = job;
  if (!job.done)
    return Object.freeze({ ...song, unfinished: { model, preset, fraction: finished / facts.length } });
  const tracks = stems.map((name, index) => {
    const track = new Track(name, facts.channels, facts.length, hop);
    track.append(job.tracks[index].pieces, job.tracks[index].peaks);
    return track;
  });
  return Object.freeze({ ...song, stems: tracks });
}

/**
 * The song after an intent.
 * @template {Intent} T
 * @param {Song} song
 * @param {T} intent
 * @param {IntentData<T>} data
 * @returns {Song}
 * @throws {IllegalTransition}
 */
export function transition(song, intent, data) {
  if (!allows(song, intent)) throw new IllegalTransition(song, intent);
  const change = /** @type {(song: Song, data: unknown) => Partial<SongFields>} */ (
    TRANSITIONS[intent].change
  );
  return Object.freeze({ ...song, ...change(song, data) });
}

/** True when a song can take an intent. @param {Song} song @param {Intent} intent */
export function allows(song, intent) {
  const { from, when } = TRANSITIONS[intent];
  return from.includes(song.status) && (when === undefined || when(song));
}

export class IllegalTransition extends Error {
  /** @param {Song} song @param {Intent} intent */
  constructor({ status }, intent) {
    super(`A song that is ${status} cannot be ${intent}.`);
  }
}

/** @typedef {keyof typeof TRANSITIONS} Intent */
/** @template {Intent} T @typedef {Parameters<typeof TRANSITIONS[T]["change"]>[1]} IntentData */

/** @type {Status[]} */
const ANY = ["decoding", "ready", "waiting", "working", "done", "failed"];

const isDecoded = (/** @type {Song} */ { format }) => format !== null;

const TRANSITIONS = Object.freeze({
  decoding: rule(["decoding"], (_, /** @type {number} */ decoded) => ({ decoded })),

  decoded: rule(["decoding"], ({ plan }, /** @type {DecodedSong} */ decoded) => ({
    ...decodedFields(decoded),
    status: plan ? "waiting" : "ready",
  })),

  retried: rule(
    ["failed"],
    () => ({ status: "decoding", decoded: 0, error: null }),
    ({ file, format }) => file !== null && format === null,
  ),

  planned: rule(
    ["decoding", "ready", "waiting", "done", "failed"],
    ({ status, fresh }, /** @type {Plan} */ plan) => ({
      ...NO_STEMS,
      plan,
      status: status === "decoding" ? "decoding" : "waiting",
      fresh: fresh && plan.region !== null,
      error: null,
    }),
    (song) => song.status === "decoding" || isDecoded(song),
  ),

  unplanned: rule(["decoding", "waiting"], ({ status }) => ({
    plan: null,
    status: status === "decoding" ? "decoding" : "ready",
  })),

  started: rule(["waiting"], startedFields),

  progressed: rule(["working"], (_, /** @type {Partial<Pick<Song, "download">>} */ fields) => fields),

  extended: rule(["working"], ({ stems }, /** @type {StemChunk[]} */ chunk) => {
    for (const { name, pieces, peaks } of chunk) {
      const stem = stems.find((each) => each.name === name);
      const begin = stem?.begin ?? 0;
      stem?.append(
        pieces.map((piece) => ({ ...piece, start: begin + piece.start })),
        peaks,
      );
    }
    return {};
  }),

  finished: rule(["working"], ({ plan, unfinished }) => ({
    ...NO_JOB,
    plan: null,
    status: plan?.region ? "ready" : "done",
    unfinished: plan?.region ? unfinished : null,
  })),

  stopped: rule(["working"], (song) => ({ ...interrupted(song), plan: null, status: "ready" })),

  failed: rule(["decoding", "waiting", "working"], (song, /** @type {ErrorData} */ error) => ({
    ...(song.status === "working" ? interrupted(song) : {}),
    status: "failed",
    error,
  })),

  discarded: rule(
    ["ready", "failed"],
    () => ({ ...NO_STEMS, plan: null, unfinished: null, error: null, status: "ready" }),
    ({ unfinished }) => unfinished !== null,
  ),

  /** Ignores a measurement of stems that have been replaced since. */
  nullTested: rule(ANY, (song, /** @type {{ stems: Track[], residual: number }} */ { stems, residual }) =>
    stems === song.stems ? { nullTest: residual } : {},
  ),

  deskChanged: rule(ANY, ({ desk }, /** @type {Partial<Desk>} */ changes) => ({
    desk: Object.freeze({ ...desk, ...changes }),
  })),
});

const NO_STEMS = Object.freeze({ stems: [], preview: null, nullTest: null });
const NO_JOB = Object.freeze({ progress: null, download: null });

/**
 * One line of the table above.
 * @template [D=void]
 * @param {Status[]} from
 * @param {(song: Song, data: D) => Partial<SongFields>} change
 * @param {(song: Song) => boolean} [when]
 */
function rule(from, change, when) {
  return { from, change, when };
}

/** @param {Song} song @param {JobProgress} progress @returns {Partial<SongFields>} */
function startedFields({ plan, format, desk }, progress) {
  if (!plan || !format) throw new Error("A song waits without a plan.");
  const { model, region } = plan;
  const range = rangeOf(format, region);
  return {
    status: "working",
    progress,
    download: null,
    preview: region && { start: range.start / format.rate, stop: range.stop / format.rate },
    stems: emptyStems(format, model.stems, range),
    desk: deskFor(model.stems, desk),
  };
}

/**
 * A separation that has ended early keeps its finished samples, and can be resumed after them. A preview leaves
 * nothing.
 * @param {Song} song
 * @returns {Partial<SongFields>}
 */
function interrupted(song) {
  const { plan, folder, unfinished, stems } = song;
  const fraction = plan?.region ? 0 : separatedPart(song);
  const isKept = plan && folder && fraction > 0;
  return {
    ...NO_JOB,
    preview: null,
    stems: fraction > 0 ? stems : [],
    // Before its first sample, this run has not touched the stems of an earlier one.
    unfinished: isKept ? { model: plan.model.id, preset: plan.preset, fraction } : unfinished,
  };
}

/** @param {DecodedSong} song @returns {Partial<SongFields>} */
function decodedFields({ folder, rate, channels, length, tags, loss, normalisation, peaks, pieces }) {
  const track = new Track("original", channels, length, hopFor(length));
  track.append(pieces, peaks);
  return {
    folder,
    format: { rate, channels, length },
    tags,
    loss: loss ?? null,
    normalisation: normalisation ?? null,
    duration: length / rate,
    track,
    decoded: 1,
  };
}

/** @param {string} id @param {string} name @returns {SongFields} */
function blank(id, name) {
  return {
    id,
    name,
    file: null,
    tags: {},
    loss: null,
    folder: null,
    added: 0,
    fresh: false,
    status: "ready",
    decoded: 0,
    format: null,
    duration: 0,
    track: null,
    normalisation: null,
    plan: null,
    unfinished: null,
    ...NO_JOB,
    ...NO_STEMS,
    desk: deskFor([]),
    error: null,
  };
}
