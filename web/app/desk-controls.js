/** What the controls of the desk do to the song that is shown, and to what is heard of it. */

import { presetStrips } from "../playback/page/balances.js";
import { rememberSongPreferences } from "./song-preferences.js";
import { selectedSong } from "./state.js";

/** @typedef {import("../playback/page/transport.js").Transport} Transport */
/** @typedef {import("../playback/page/gains.js").Strip} Strip */
/** @typedef {import("./desk-state.js").Desk} Desk */
/** @typedef {import("./desk-state.js").Span} Span */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {{ stem: string, changes: Partial<Strip>, alone?: boolean }} StripChange */

/** What is shorter is a slip of the hand, in seconds. */
const SHORTEST_REGION = 0.05;

export class DeskControls {
  #store;
  #songs;
  #deck;
  /** Whether the playhead was seen the last time. */
  #seen = false;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("./songs.js").Songs} songs
   * @param {Transport} deck
   */
  constructor(store, songs, deck) {
    this.#store = store;
    this.#songs = songs;
    this.#deck = deck;
    deck.addEventListener("change", () => this.#follow());
    deck.addEventListener("leave", (event) => {
      const { song, position } = /** @type {CustomEvent} */ (event).detail;
      songs.send(song, "deskChanged", { position });
    });
    addEventListener("pagehide", () => this.#remember());
    addEventListener("visibilitychange", () => this.#remember());
  }

  /** By the events of the elements. @type {Record<string, (detail: any) => void>} */
  reactions = {
    "play-toggle": () => void this.#deck.toggle(),
    "seek-seconds": (/** @type {number} */ seconds) => this.#seek(seconds),
    "clip-reset": () => this.#deck.unclip(),
    "original-toggle": () => this.#mix(({ original }) => ({ original: !original })),
    "strip-change": (/** @type {StripChange} */ change) => this.#mix((desk) => changed(desk, change)),
    "master-change": (/** @type {number} */ master) => this.#mix(() => ({ master })),
    "balance-choose": (/** @type {string} */ name) =>
      this.#mix(({ strips }) => ({ strips: presetStrips(name, Object.keys(strips)) })),
    "loop-toggle": () => this.#repeat(({ looping }) => ({ looping: !looping })),
    "region-drag": (/** @type {Span} */ region) => this.#set(() => ({ region })),
    "region-change": (/** @type {Span | null} */ region) => this.#repeat(() => ({ region: long(region) })),
    "region-edge": (/** @type {keyof Span} */ edge) => this.#moveEdge(edge),
    "view-change": (/** @type {Span | null} */ view) => this.#set(() => ({ view })),
    "picture-choose": (/** @type {Desk["picture"]} */ picture) => this.#set(() => ({ picture })),
  };

  get #song() {
    return selectedSong(this.#store.state);
  }

  #remember() {
    const song = this.#song;
    if (song) this.#songs.send(song.id, "deskChanged", { position: this.#deck.position });
    for (const { id, folder, desk } of this.#store.state.songs)
      if (folder) rememberSongPreferences(id, { desk });
  }

  /** @param {(desk: Desk) => Partial<Desk>} change */
  #set(change) {
    const song = this.#song;
    if (!song) return;
    this.#songs.send(song.id, "deskChanged", change(song.desk));
    this.#deck.load(this.#song);
  }

  /** @param {(desk: Desk) => Partial<Desk>} change of what is heard */
  #mix(change) {
    this.#set(change);
    this.#deck.mix();
  }

  /** @param {(desk: Desk) => Partial<Desk>} change of what is repeated */
  #repeat(change) {
    this.#set(change);
    this.#deck.repeat();
  }

  /** @param {number} seconds */
  #seek(seconds) {
    const duration = this.#song?.duration ?? 0;
    this.#deck.seek(Math.min(duration, Math.max(0, seconds)));
  }

  /** A region begins or ends where the playhead stands. @param {keyof Span} edge */
  #moveEdge(edge) {
    const song = this.#song;
    if (!song) return;
    const { start, stop } = song.desk.region ?? { start: 0, stop: song.duration };
    const at = this.#deck.position;
    const region = edge === "start" ? { start: at, stop } : { start, stop: at };
    // An edge that passes the other one begins a new region up to the end, or from the beginning.
    if (region.start >= region.stop)
      region[edge === "start" ? "stop" : "start"] = edge === "start" ? song.duration : 0;
    this.#repeat(() => ({ region: long(region) }));
  }

  /** Turns the page when the playhead leaves what is seen; who has looked elsewhere is left alone. */
  #follow() {
    const { view } = this.#song?.desk ?? {};
    const { position, playing } = this.#deck;
    if (!view) return;
    const seen = position >= view.start && position <= view.stop;
    const left = playing && this.#seen && !seen;
    this.#seen = seen;
    if (!left) return;
    const length = view.stop - view.start;
    const start = Math.min(position, /** @type {Song} */ (this.#song).duration - length);
    this.#set(() => ({ view: { start, stop: start + length } }));
  }
}

/** @param {Desk} desk @param {StripChange} change @returns {Partial<Desk>} */
function changed({ strips }, { stem, changes, alone }) {
  const others = Object.entries(strips).map(([name, strip]) => [
    name,
    alone && name !== stem ? { ...strip, soloed: false } : strip,
  ]);
  return { strips: { ...Object.fromEntries(others), [stem]: { ...strips[stem], ...changes } } };
}

/** @param {Span | null} region */
function long(region) {
  return region && region.stop - region.start >= SHORTEST_REGION ? region : null;
}
