/** Carries out what media keys, headsets and the lock screen ask for, and tells them what is played. */

import { MediaKeys } from "../platform/media-keys.js";
import { selectedSong } from "./state.js";

/** @typedef {import("../playback/page/transport.js").Transport} Transport */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */

/** Seconds of a seek for which no length is given, as those of the arrow keys. */
const STEP = 5;

/** Seconds within which *previous* goes further back than the point that was just passed. */
const JUST_PASSED = 2;

export class MediaController {
  #store;
  #transport;
  #seek;
  #select;
  #keys;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {Transport} transport
   * @param {(seconds: number) => void} seek
   * @param {(id: string) => void} select shows another song
   */
  constructor(store, transport, seek, select) {
    this.#store = store;
    this.#transport = transport;
    this.#seek = seek;
    this.#select = select;
    this.#keys = new MediaKeys({
      play: () => this.#play(true),
      pause: () => this.#play(false),
      stop: () => this.#play(false),
      seekto: ({ seekTime }) => seekTime !== undefined && seekTime !== null && seek(seekTime),
      seekbackward: ({ seekOffset }) => seek(transport.position - (seekOffset ?? STEP)),
      seekforward: ({ seekOffset }) => seek(transport.position + (seekOffset ?? STEP)),
      previoustrack: () => this.#back(),
      nexttrack: () => this.#step(1),
    });
    store.subscribe(() => this.#follow());
    transport.addEventListener("change", () => this.#follow());
  }

  get #song() {
    return selectedSong(this.#store.state);
  }

  #follow() {
    const song = this.#song;
    const { playing, position } = this.#transport;
    const isPlayable = song !== null && song.stems.length > 0;
    this.#keys.describe(isPlayable ? descriptionOf(song) : null);
    this.#keys.follow({ playing, position, duration: song?.duration ?? 0, speed: 1 });
  }

  /** @param {boolean} wanted */
  #play(wanted) {
    if (this.#transport.playing !== wanted) void this.#transport.toggle();
  }

  /** Goes back to the start of the region, then of the song, then to the song before. */
  #back() {
    const points = [this.#song?.desk.region?.start ?? 0, 0];
    const before = points.find((point) => point < this.#transport.position - JUST_PASSED);
    if (before !== undefined) this.#seek(before);
    else if (!this.#step(-1)) this.#seek(0);
  }

  /** @param {1 | -1} by songs that can be played @returns {boolean} false when there is none */
  #step(by) {
    const songs = this.#store.state.songs.filter(
      ({ id, stems }) => stems.length > 0 || id === this.#song?.id,
    );
    const next = songs[songs.findIndex(({ id }) => id === this.#song?.id) + by];
    if (!next) return false;
    const { playing } = this.#transport;
    this.#select(next.id);
    this.#play(playing);
    return true;
  }
}

/** @param {Song} song @returns {import("../platform/media-keys.js").Description} */
function descriptionOf({ name, tags: { title, artist, album } }) {
  return { title: title ?? name, artist, album };
}
