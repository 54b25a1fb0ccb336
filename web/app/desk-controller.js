/** Carries out the intents of the desk's controls: changes the selected song's desk and its playback. */

import { balanceStrips } from "../playback/page/balances.js";
import { rememberSongPreferences } from "./song-preferences.js";
import { selectedSong } from "./state.js";

/** @typedef {import("../playback/page/transport.js").Transport} Transport */
/** @typedef {import("../playback/page/gains.js").Strip} Strip */
/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Span} Span */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {{ stem: string, changes: Partial<Strip>, alone?: boolean }} StripChange */

/** A shorter region, in seconds, counts as a click. */
const SHORTEST_REGION = 0.05;

export class DeskController {
  #store;
  #songs;
  #transport;
  /** True when the playhead was in view at the last change. */
  #wasVisible = false;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("./songs.js").Songs} songs
   * @param {Transport} transport
   */
  constructor(store, songs, transport) {
    this.#store = store;
    this.#songs = songs;
    this.#transport = transport;
    transport.addEventListener("change", () => this.#follow());
    transport.addEventListener("leave", (event) => {
      const { song, position } = /** @type {CustomEvent} */ (event).detail;
      songs.send(song, "deskChanged", { position });
    });
    addEventListener("pagehide", () => this.#remember());
    addEventListener("visibilitychange", () => this.#remember());
  }

  /** Intents, by the events of the elements. @type {Record<string, (detail: any) => void>} */
  intents = {
    "play-toggle": () => void this.#transport.toggle(),
    "seek-seconds": (/** @type {number} */ seconds) => this.#seek(seconds),
    "clip-reset": () => this.#transport.resetClipping(),
    "original-toggle": () => this.#mix(({ original }) => ({ original: !original })),
    "strip-change": (/** @type {StripChange} */ change) => this.#mix((desk) => changed(desk, change)),
    "master-change": (/** @type {number} */ master) => this.#mix(() => ({ master })),
    "balance-choose": (/** @type {string} */ name) =>
      this.#mix(({ strips }) => ({ strips: balanceStrips(name, Object.keys(strips)) })),
    "loop-toggle": () => this.#repeat(({ looping }) => ({ looping: !looping })),
    "region-drag": (/** @type {Span} */ region) => this.#set(() => ({ region })),
    "region-change": (/** @type {Span | null} */ region) =>
      this.#repeat(() => ({ region: longEnough(region) })),
    "region-edge": (/** @type {keyof Span} */ edge) => this.#moveEdge(edge),
    "view-change": (/** @type {Span | null} */ view) => this.#set(() => ({ view })),
    "picture-choose": (/** @type {Desk["picture"]} */ picture) => this.#set(() => ({ picture })),
  };

  get #song() {
    return selectedSong(this.#store.state);
  }

  #remember() {
    const song = this.#song;
    if (song) this.#songs.send(song.id, "deskChanged", { position: this.#transport.position });
    for (const { id, folder, desk } of this.#store.state.songs)
      if (folder) rememberSongPreferences(id, { desk });
  }

  /** @param {(desk: Desk) => Partial<Desk>} change */
  #set(change) {
    const song = this.#song;
    if (!song) return;
    this.#songs.send(song.id, "deskChanged", change(song.desk));
    this.#transport.load(this.#song);
  }

  /** @param {(desk: Desk) => Partial<Desk>} change of the mix */
  #mix(change) {
    this.#set(change);
    this.#transport.applyGains();
  }

  /** @param {(desk: Desk) => Partial<Desk>} change of the loop */
  #repeat(change) {
    this.#set(change);
    this.#transport.applyLoop();
  }

  /** @param {number} seconds */
  #seek(seconds) {
    if (!this.#song) return;
    const { duration } = this.#song;
    this.#transport.seek(Math.min(duration, Math.max(0, seconds)));
    this.#reveal();
  }

  /** Moves an edge of the region to the playhead. @param {keyof Span} edge */
  #moveEdge(edge) {
    const song = this.#song;
    if (!song) return;
    const { start, stop } = song.desk.region ?? { start: 0, stop: song.duration };
    const at = this.#transport.position;
    const region = edge === "start" ? { start: at, stop } : { start, stop: at };
    // An edge that passes the other one makes a new region, up to the end or from the beginning.
    if (region.start >= region.stop)
      region[edge === "start" ? "stop" : "start"] = edge === "start" ? song.duration : 0;
    this.#repeat(() => ({ region: longEnough(region) }));
  }

  /** Moves the view when the playhead leaves it, but not when the user has moved it elsewhere. */
  #follow() {
    const { view } = this.#song?.desk ?? {};
    const { position, playing } = this.#transport;
    if (!view) return;
    const isVisible = position >= view.start && position <= view.stop;
    const hasLeft = playing && this.#wasVisible && !isVisible;
    this.#wasVisible = isVisible;
    if (hasLeft) this.#reveal();
  }

  /** Moves the view to the playhead when it does not show it. */
  #reveal() {
    const { desk, duration } = /** @type {Song} */ (this.#song);
    const { view } = desk;
    const { position } = this.#transport;
    if (!view || (position >= view.start && position <= view.stop)) return;
    const length = view.stop - view.start;
    const start = Math.min(position, duration - length);
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
function longEnough(region) {
  return region && region.stop - region.start >= SHORTEST_REGION ? region : null;
}
