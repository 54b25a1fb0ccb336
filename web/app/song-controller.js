/** Carries out the intents for songs: adding, separating, stopping and removing. */

import { songFolder } from "../library/layout.js";
import { canKeep, hold, newSongId, removeJob, removeSong } from "../library/songs.js";
import { DecodingQueue } from "./decoding-queue.js";
import { SeparationQueue } from "./separation-queue.js";
import { allows, newSong } from "./song.js";
import { songsAmong } from "./song-files.js";
import { forgetSongPreferences } from "./song-preferences.js";
import { chosenPreset } from "./state.js";

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../platform/dropped-files.js").FoundFile} FoundFile */
/** @typedef {import("./song.js").Plan} Plan */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */

/** A removed song can be restored for this long. */
const UNDO_MS = 10_000;

/** Longest preview in seconds: its stems lie in memory. */
const LONGEST_PREVIEW = 120;

export class SongController {
  #store;
  #songs;
  #decoding;
  #separation;
  #settled;
  /** @type {number | undefined} */ #undoEnds;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("./songs.js").Songs} songs
   * @param {EngineClient} engine
   * @param {Promise<void>} settled no worker loads before
   */
  constructor(store, songs, engine, settled) {
    this.#store = store;
    this.#songs = songs;
    this.#settled = settled;
    this.#decoding = new DecodingQueue(songs, settled);
    this.#separation = new SeparationQueue(store, songs, engine);
  }

  /** Adds the songs among the files that came. @param {FoundFile[]} found */
  async add(found) {
    const { files, passedOver } = await songsAmong(found, async (songs) => {
      const { readTags } = await import("../decode/page/client.js");
      await this.#settled;
      return readTags(songs);
    });
    this.#store.set({ arrival: { songs: files.length, passedOver } });
    const isKept = await canKeep();
    const added = files.map((file) => {
      const id = newSongId();
      if (isKept) void hold(id);
      return newSong(id, file, isKept ? songFolder(id) : null);
    });
    if (added.length === 0) return;
    this.#songs.add(added);
    for (const { id } of added) void this.#decode(id);
  }

  /** Separates the selected song, and all songs of this visit that have not been separated yet. */
  separate() {
    const { selected, model } = this.#store.state;
    const preset = chosenPreset(this.#store.state);
    if (!model) return;
    for (const { id, fresh, status, format } of this.#songs.all) {
      const isAsked = id === selected && format && status !== "working";
      const isFresh = fresh && (status === "ready" || status === "decoding");
      if (isAsked || isFresh) this.#songs.send(id, "planned", { model, preset, region: null });
    }
    void this.#separation.work();
  }

  /** Separates only the region of the selected song. */
  preview() {
    const { selected, model } = this.#store.state;
    const preset = chosenPreset(this.#store.state);
    const song = this.#songs.find(selected);
    const region = song?.desk.region;
    if (!region || !model || song.status !== "ready") return;
    const stop = Math.min(region.stop, region.start + LONGEST_PREVIEW);
    this.#plan(song, { model, preset, region: { start: region.start, stop } });
  }

  /** Resumes an unfinished separation, or tries a failed song again. @param {string} id */
  resume(id) {
    const song = this.#songs.find(id);
    if (song && allows(song, "retried")) {
      this.#songs.send(id, "retried", undefined);
      return void this.#decode(id);
    }
    const { unfinished = null, plan = null } = song ?? {};
    const { model: modelId, preset } = unfinished ?? { model: plan?.model.id, preset: plan?.preset };
    const model = this.#store.state.models.find((each) => each.id === modelId);
    if (!song || !model || !preset || !allows(song, "planned")) return;
    this.#plan(song, { model, preset, region: unfinished ? null : (plan?.region ?? null) });
  }

  /** Discards an unfinished separation. @param {string} id */
  async discard(id) {
    const song = this.#songs.find(id);
    if (!song?.unfinished || !allows(song, "discarded")) return;
    this.#songs.send(id, "discarded", undefined);
    if (song.folder) await removeJob(id, song.unfinished);
  }

  /** Stops a separation, or takes the song out of the queue. @param {string} id */
  cancel(id) {
    const song = this.#songs.find(id);
    if (song && allows(song, "unplanned")) this.#songs.send(id, "unplanned", undefined);
    this.#separation.cancel(id);
  }

  /** Removes a song; it can be restored for a while. @param {string} id */
  remove(id) {
    this.cancel(id);
    const song = this.#songs.find(id);
    if (!song || !this.#songs.all.includes(song)) return;
    void this.#eraseRemoved();
    this.#songs.remove(song);
    this.#undoEnds = setTimeout(() => void this.#eraseRemoved(), UNDO_MS);
  }

  /** Restores the song that was removed last. */
  undo() {
    clearTimeout(this.#undoEnds);
    this.#songs.putBack();
  }

  /** Removes a song without undo. @param {string} id */
  async erase(id) {
    this.remove(id);
    if (this.#store.state.removed?.id === id) await this.#eraseRemoved();
  }

  /** @param {string} id @param {number} by places */
  move(id, by) {
    this.#songs.move(id, by);
  }

  async #eraseRemoved() {
    clearTimeout(this.#undoEnds);
    const song = this.#songs.drop();
    if (!song) return;
    this.#decoding.forget(song.id);
    forgetSongPreferences(song.id);
    if (song.folder) await removeSong(song.id);
    await this.#songs.measureSpace();
  }

  /** @param {Song} song @param {Plan} plan */
  #plan({ id }, plan) {
    this.#songs.send(id, "planned", plan);
    void this.#separation.work();
  }

  /** @param {string} id */
  async #decode(id) {
    await this.#decoding.decode(id);
    void this.#separation.work();
  }
}
