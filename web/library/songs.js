/**
 * The songs in the browser's storage, as the page lists, opens and removes them. Workers write them.
 */

import { count, finite, listOf, nullable, object, optional, positive, text } from "../base/shapes.js";
import { jobName, ORIGINAL, PEAKS, peaksOf, RECORDS, SONGS, songFolder } from "./layout.js";
import { folderIn, hasStorage, namesIn, openFile, openFolder, readJson, remove } from "./opfs.js";
import { listPieces } from "./pieces.js";

/** @typedef {import("./measurement.js").Normalisation} Normalisation */
/** @typedef {import("./opfs.js").Folder} Folder */
/** @typedef {import("./pieces.js").Piece} Piece */

/** @typedef {import("./tags.js").Tags} Tags */
/** @typedef {{ rate: number, channels: number, length: number, normalisation: Normalisation }} SongMeasures */
/** The part of a song that its file lacks; null seconds when it does not tell how much. @typedef {{ seconds: number | null }} Loss */
/** @typedef {SongMeasures & { name: string, tags: Tags, loss?: Loss | null, added: number }} SongRecord */
/** @typedef {{ pieces: Piece[], peaks: Float32Array<ArrayBuffer> }} StoredTrack */
/** `folder` is null when the song is in memory. @typedef {SongMeasures & StoredTrack & { folder: string | null, tags: Tags, loss?: Loss | null }} DecodedSong */

/**
 * @typedef {object} StoredJob
 * @property {string} model its id
 * @property {string} preset
 * @property {string[]} stems
 * @property {number} hop
 * @property {boolean} done
 * @property {number} finished samples of every stem
 * @property {StoredTrack[]} tracks one for each stem; without peaks until the job is done
 */

/**
 * @typedef {object} StoredSong
 * @property {string} id
 * @property {SongRecord} facts
 * @property {StoredTrack} original
 * @property {StoredJob | null} job a finished one, else an unfinished one
 */

/** Shapes of the records in the storage: earlier versions may have written others. */
const isSongRecord = object({
  rate: positive,
  channels: count,
  length: count,
  name: text,
  tags: object({}),
  loss: optional(nullable(object({ seconds: nullable(finite) }))),
  added: finite,
  normalisation: optional(object({ offset: finite, scale: finite })),
});
const isJobRecord = object({ model: text, preset: text, stems: listOf(text), hop: count });

/** A unique id for a song; later ones sort later. */
export function newSongId() {
  const [random] = crypto.getRandomValues(new Uint32Array(1)); // `randomUUID` needs https
  return `${Date.now().toString(36)}-${random.toString(16).padStart(8, "0")}`;
}

/** True when this browser window can keep songs. */
export async function canKeep() {
  return navigator.locks !== undefined && (await hasStorage());
}

/**
 * Opens the songs of earlier visits, oldest first, and locks them for this page.
 * @returns {Promise<StoredSong[]>}
 */
export async function openSongs() {
  const songs = [];
  if (!(await canKeep())) return [];
  const folder = await openFolder(SONGS, { create: true });
  for (const id of (await namesIn(folder)).sort()) {
    if (!(await hold(id))) continue;
    try {
      const song = await openSong(id, await folderIn(folder, id));
      if (song) songs.push(song);
      else await removeSong(id); // it was never decoded to its end
    } catch {
      // A song that cannot be opened is skipped but not removed: a later version may open it.
    }
  }
  return songs;
}

/**
 * Locks a song for this page.
 * @param {string} id
 * @returns {Promise<boolean>} false when another tab holds it
 */
export function hold(id) {
  return new Promise((resolve) => {
    void navigator.locks.request(`demixer-song-${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {}); // until this page closes
    });
  });
}

/** @param {string} id */
export async function removeSong(id) {
  if (await hasStorage()) await remove(await openFolder(SONGS, { create: true }), id);
}

/**
 * Removes all separations of a song except one.
 * @param {string} id
 * @param {{ model: string, preset: string }} kept
 */
export async function removeOtherJobs(id, kept) {
  const folder = await openFolder(songFolder(id));
  for (const { name } of await jobFolders(folder)) {
    if (name !== jobName(kept.model, kept.preset)) await remove(folder, name);
  }
}

/**
 * Removes one separation of a song.
 * @param {string} id
 * @param {{ model: string, preset: string }} job
 */
export async function removeJob(id, { model, preset }) {
  await remove(await openFolder(songFolder(id)), jobName(model, preset));
}

/** @param {string} id @param {Folder} folder @returns {Promise<StoredSong | null>} */
async function openSong(id, folder) {
  /** @type {SongRecord | null} */
  const facts = await readJson(folder, RECORDS.song);
  if (!facts) return null;
  if (!isSongRecord(facts)) throw new Error(`The record of song ${id} is not one of this version.`);
  const pieces = await listPieces(await folderIn(folder, ORIGINAL), facts.channels);
  const original = { pieces, peaks: await readPeaks(folder, PEAKS) };
  const jobs = [];
  for (const job of await jobFolders(folder)) {
    const opened = await openJob(job, facts).catch(() => null); // the song can do without
    if (opened) jobs.push(opened);
  }
  jobs.sort((one, other) => Number(other.done) - Number(one.done));
  return { id, facts, original, job: jobs[0] ?? null };
}

/** @param {Folder} folder @param {SongRecord} facts @returns {Promise<StoredJob>} */
async function openJob(folder, { channels }) {
  const record = await readJson(folder, RECORDS.job);
  if (!isJobRecord(record)) throw new Error("The record of a separation is not one of this version.");
  const { model, preset, stems, hop } = record;
  const done = (await openFile(folder, RECORDS.done)) !== null;
  const tracks = await Promise.all(
    stems.map(async (/** @type {string} */ stem) => ({
      pieces: await listPieces(await folderIn(folder, stem, { create: true }), channels),
      peaks: await readPeaks(folder, peaksOf(stem)),
    })),
  );
  const finished = Math.min(...tracks.map(({ pieces }) => endOf(pieces)));
  return { model, preset, stems, hop, done, finished, tracks };
}

/** The jobs that have a record. @param {Folder} folder */
async function jobFolders(folder) {
  const folders = [];
  for await (const entry of folder.values()) {
    if (entry.kind !== "directory") continue;
    const job = /** @type {Folder} */ (entry);
    if (await readJson(job, RECORDS.job)) folders.push(job);
  }
  return folders;
}

/** @param {Folder} folder @param {string} name */
async function readPeaks(folder, name) {
  return new Float32Array((await (await openFile(folder, name))?.arrayBuffer()) ?? new ArrayBuffer(0));
}

/** @param {Piece[]} pieces */
function endOf(pieces) {
  const last = pieces.at(-1);
  return last ? last.start + last.length : 0;
}
