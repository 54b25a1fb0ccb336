/** The songs of the page: the one owner of their state. */

import { openSongs } from "../library/songs.js";
import { space } from "../library/space.js";
import { reopenedSong, transition } from "./song.js";
import { recallSongPreferences, rememberSongPreferences } from "./song-preferences.js";

/** @typedef {import("./song.js").Intent} Intent */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */

/** Place of a song that was never given one. */
const LAST = Number.MAX_SAFE_INTEGER;

export class Songs {
  #store;
  #removedFrom = 0;

  /** @param {import("./store.js").Store<PageState>} store */
  constructor(store) {
    this.#store = store;
  }

  /** All songs of the list, in its order. */
  get all() {
    return this.#store.state.songs;
  }

  /** A song of the list, or the one removed last. @param {string | null} id */
  find(id) {
    const { songs, removed } = this.#store.state;
    return songs.find((song) => song.id === id) ?? (removed?.id === id ? removed : null);
  }

  /**
   * Changes a song. Late intents for songs that have been removed are ignored.
   * @template {Intent} T
   * @param {string} id
   * @param {T} intent
   * @param {import("./song.js").IntentData<T>} data
   */
  send(id, intent, data) {
    const song = this.find(id);
    if (!song) return;
    const next = transition(song, intent, data);
    const place = this.all.indexOf(song);
    if (place < 0) this.#store.set({ removed: next });
    else this.#store.set({ songs: this.all.with(place, next) });
    if (next.status === song.status) return;
    this.#remember();
    void this.measureSpace();
  }

  /** Lists the songs of earlier visits, and shows one whose separation can be resumed. */
  async restore() {
    const stored = (await openSongs()).map((song) => ({ song, preferences: recallSongPreferences(song.id) }));
    stored.sort((one, other) => (one.preferences.place ?? LAST) - (other.preferences.place ?? LAST));
    const songs = stored.flatMap(({ song, preferences }) => reopened(song, preferences) ?? []);
    const { selected } = this.#store.state;
    const unfinished = songs.findLast((song) => song.unfinished);
    this.#store.set({ songs: [...songs, ...this.all], selected: selected ?? unfinished?.id ?? null });
  }

  /** @param {Song[]} added of which the first is shown */
  add(added) {
    this.#store.set({ songs: [...this.all, ...added], selected: added[0].id });
    this.#remember();
  }

  /** Moves a song within the list, which is the order of separation. @param {string} id @param {number} by places, down or up */
  move(id, by) {
    const from = this.all.findIndex((song) => song.id === id);
    const to = Math.min(this.all.length - 1, Math.max(0, from + by));
    if (from < 0 || from === to) return;
    this.#store.set({ songs: this.all.toSpliced(from, 1).toSpliced(to, 0, this.all[from]) });
    this.#remember();
  }

  /** Takes a song off the list. It stays in the state's `removed` until it is dropped. @param {Song} song */
  remove(song) {
    const others = this.all.filter(({ id }) => id !== song.id);
    this.#removedFrom = this.all.findIndex(({ id }) => id === song.id);
    const { selected } = this.#store.state;
    const shown = selected === song.id ? (others.at(-1)?.id ?? null) : selected;
    this.#store.set({ songs: others, selected: shown, removed: song });
  }

  /** Puts the song that was removed last back where it was. */
  putBack() {
    const { removed } = this.#store.state;
    if (!removed) return;
    const songs = this.all.toSpliced(this.#removedFrom, 0, removed);
    this.#store.set({ songs, selected: removed.id, removed: null });
  }

  /** Drops the song that was removed last. @returns {Song | null} */
  drop() {
    const { removed } = this.#store.state;
    if (removed) this.#store.set({ removed: null });
    return removed;
  }

  /** Updates the state's figures of the browser's storage. */
  async measureSpace() {
    const measured = await space();
    this.#store.set({ storage: { ...this.#store.state.storage, ...measured } });
  }

  /** Keeps the queue for the next visit. */
  #remember() {
    for (const [place, { id, folder, plan, status, unfinished }] of this.all.entries()) {
      if (!folder) continue;
      const isPlanned = plan && !plan.region && ["waiting", "working"].includes(status);
      const planned = isPlanned ? { model: plan.model.id, preset: plan.preset } : unfinished;
      const next = planned && { model: planned.model, preset: planned.preset };
      rememberSongPreferences(id, { place, plan: next });
    }
  }
}

/**
 * A stored song with its preferences; without them, or null, when they or the song are damaged.
 * @param {import("../library/songs.js").StoredSong} stored
 * @param {import("./song-preferences.js").SongPreferences} preferences
 */
function reopened(stored, { desk, plan }) {
  const attempts = [() => reopenedSong(stored, desk, plan), () => reopenedSong(stored)];
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch {}
  }
  return null;
}
