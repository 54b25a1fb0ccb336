/** The songs of the page: those that come, those of earlier visits, and what happens to each. */

import { songFolder } from "../library/layout.js";
import { canKeep, hold, newSongId, openSongs, removeJob, removeSong } from "../library/songs.js";
import { space } from "../platform/storage.js";
import { DecodingQueue } from "./decoding-queue.js";
import { SeparationQueue } from "./separation-queue.js";
import { newSong, reopened } from "./song.js";
import { forgetSongPreferences, recallSongPreferences, rememberSongPreferences } from "./song-preferences.js";
import { presetOf } from "./state.js";

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {import("./store.js").Store<PageState>} PageStore */

/** So long a removed song can be had back. */
const UNDO_MS = 10_000;

/** Seconds of a preview: it lies in memory. */
const LONGEST_PREVIEW = 120;

/** The place of a song that has none yet. */
const LAST = Number.MAX_SAFE_INTEGER;

/** Tells of every change through the store. */
export class Songs {
  #store;
  #reading;
  #separating;
  /** Those that came in this visit and that nothing has been done with yet. @type {Set<Song>} */
  #fresh = new Set();
  /** @type {number | undefined} */ #undoEnds;
  #removedFrom = 0;

  /**
   * @param {PageStore} store
   * @param {EngineClient} engine
   */
  constructor(store, engine) {
    this.#store = store;
    const change = (/** @type {Song} */ song, /** @type {Partial<Song>} */ changes) =>
      this.#change(song, changes);
    this.#reading = new DecodingQueue(change);
    this.#separating = new SeparationQueue(engine, () => this.#store.state.songs, change);
  }

  /** The songs of earlier visits; one that was cut off is shown, so that it can go on. */
  async restore() {
    const kept = (await openSongs()).map((song) => ({ song, memory: recallSongPreferences(song.id) }));
    kept.sort((one, other) => (one.memory.place ?? LAST) - (other.memory.place ?? LAST));
    const songs = kept.map(({ song, memory: { desk, plan } }) => {
      const again = reopened(song, desk);
      if (again.status === "ready" && plan) again.unfinished ??= { ...plan, fraction: 0 };
      return again;
    });
    const { songs: added, selected } = this.#store.state;
    const waiting = songs.findLast(({ unfinished }) => unfinished);
    this.#store.set({ songs: [...songs, ...added], selected: selected ?? waiting?.id ?? null });
  }

  /** @param {Iterable<File>} files */
  async add(files) {
    const keeping = await canKeep();
    const added = Array.from(files, (file) => {
      const id = newSongId();
      if (keeping) void hold(id);
      return newSong(id, file, keeping ? songFolder(id) : null);
    });
    if (added.length === 0) return;
    const { songs } = this.#store.state;
    this.#store.set({ songs: [...songs, ...added], selected: added[0].id });
    this.#remember();
    for (const song of added) {
      this.#fresh.add(song);
      void this.#reading.read(song).then(() => this.#separating.work());
    }
  }

  /** Takes a song off the page; it can be had back for a while. @param {string} id */
  remove(id) {
    const song = this.#find(id);
    if (!song) return;
    this.cancel(id);
    this.forgetRemoved();
    const { songs, selected } = this.#store.state;
    const others = songs.filter((other) => other !== song);
    this.#removedFrom = songs.indexOf(song);
    const shown = selected === id ? (others.at(-1)?.id ?? null) : selected;
    this.#store.set({ songs: others, selected: shown, removed: song });
    this.#undoEnds = setTimeout(() => this.forgetRemoved(), UNDO_MS);
  }

  /** Has the song back that was removed last, where it was. */
  undo() {
    const { songs, removed } = this.#store.state;
    if (!removed) return;
    clearTimeout(this.#undoEnds);
    this.#store.set({
      songs: songs.toSpliced(this.#removedFrom, 0, removed),
      selected: removed.id,
      removed: null,
    });
  }

  /** Songs wait in the order of the list. @param {string} id @param {number} by places, down or up */
  move(id, by) {
    const { songs } = this.#store.state;
    const from = songs.findIndex((song) => song.id === id);
    const to = Math.min(songs.length - 1, Math.max(0, from + by));
    if (from < 0 || from === to) return;
    this.#store.set({ songs: songs.toSpliced(from, 1).toSpliced(to, 0, songs[from]) });
    this.#remember();
  }

  /** Lets go for good of the song that was removed last. */
  forgetRemoved() {
    const { removed } = this.#store.state;
    clearTimeout(this.#undoEnds);
    if (!removed) return;
    this.#store.set({ removed: null });
    void this.#erase(removed);
  }

  /** Removes a song for good, now. @param {string} id */
  async erase(id) {
    const song = this.#find(id);
    if (!song) return;
    this.remove(id);
    clearTimeout(this.#undoEnds);
    this.#store.set({ removed: null });
    await this.#erase(song);
  }

  /** @param {Song} song */
  async #erase(song) {
    this.#reading.forget(song);
    this.#fresh.delete(song);
    forgetSongPreferences(song.id);
    if (song.folder) await removeSong(song.id);
    await this.#measureRoom();
  }

  /** Separate the selected song and all others that came in this visit and wait for it. */
  separate() {
    const { songs, selected, model } = this.#store.state;
    const preset = presetOf(this.#store.state);
    if (!model) return;
    for (const song of songs) {
      const asked = song.id === selected && song.format && song.status !== "working";
      const fresh = this.#fresh.has(song) && ["ready", "reading"].includes(song.status);
      if (asked || fresh) this.#plan(song, model, preset);
    }
    void this.#separating.work();
  }

  /** Separate only the region of the selected song. */
  preview() {
    const { selected, model } = this.#store.state;
    const preset = presetOf(this.#store.state);
    const song = selected === null ? undefined : this.#find(selected);
    const region = song?.desk.region;
    if (!song?.format || !region || !model || song.status !== "ready") return;
    const stop = Math.min(region.stop, region.start + LONGEST_PREVIEW);
    this.#plan(song, model, preset, { start: region.start, stop });
    void this.#separating.work();
  }

  /** Go on with what was cut off, or try again what failed. @param {string} id */
  resume(id) {
    const song = this.#find(id);
    const { model: modelId, preset } = song?.unfinished ?? {
      model: song?.plan?.model.id,
      preset: song?.plan?.preset,
    };
    const model = this.#store.state.models.find((each) => each.id === modelId);
    if (!song || !model || !preset) return;
    this.#plan(song, model, preset, song.unfinished ? null : song.plan?.region);
    void this.#separating.work();
  }

  /** Let go of what was cut off. @param {string} id */
  async discard(id) {
    const song = this.#find(id);
    const { unfinished, folder } = song ?? {};
    if (!song || !unfinished) return;
    this.#change(song, { unfinished: null, stems: [], error: null, status: "ready" });
    if (folder) await removeJob(id, unfinished);
  }

  /** @param {string} id */
  cancel(id) {
    const song = this.#find(id);
    if (song?.status === "waiting") this.#change(song, { status: "ready", plan: null });
    if (song?.status === "reading") this.#change(song, { plan: null });
    if (song?.status === "working") this.#separating.cancel();
  }

  /** @param {Song} song @param {Model} model @param {string} preset @param {import("./song.js").Plan["region"]} region */
  #plan(song, model, preset, region = null) {
    if (!region) this.#fresh.delete(song);
    const status = song.format ? "waiting" : "reading";
    const plan = { model, preset, region };
    this.#change(song, { plan, status, error: null, stems: [], preview: null, nullTest: null });
  }

  /** @param {string} id */
  #find(id) {
    return this.#store.state.songs.find((song) => song.id === id);
  }

  /** @param {Song} song @param {Partial<Song>} changes */
  #change(song, changes) {
    Object.assign(song, changes);
    this.#store.touch();
    if (!("status" in changes)) return;
    this.#remember();
    void this.#measureRoom();
  }

  async #measureRoom() {
    const measured = await space();
    this.#store.set({ storage: { ...this.#store.state.storage, ...measured } });
  }

  /** So that the queue outlives the page. */
  #remember() {
    for (const [place, song] of this.#store.state.songs.entries()) {
      const { id, folder, plan, status, unfinished } = song;
      const planned = plan && !plan.region && ["waiting", "working"].includes(status);
      const { model, preset } = planned ? { model: plan.model.id, preset: plan.preset } : (unfinished ?? {});
      if (folder) rememberSongPreferences(id, { place, plan: model && preset ? { model, preset } : null });
    }
  }
}
