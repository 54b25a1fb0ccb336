/** Plays the song that is shown: opens a player when it is first asked to, with the gains of the song's desk. */

import { stripGains } from "./mix.js";
import { Player } from "./player.js";

/** @typedef {import("../app/song.js").Song} Song */

/** Fires `change` whenever something of it has changed. */
export class Deck extends EventTarget {
  /** @type {Song | null} */
  #song = null;
  /** @type {Song["stems"]} */
  #stems = [];
  /** @type {Promise<Player> | null} */
  #opening = null;
  /** @type {Player | null} */
  #player = null;
  #start = 0;
  #failed = false;

  /** In seconds. */
  get position() {
    const rate = this.#song?.format?.rate ?? 1;
    return this.#player ? this.#player.position / rate : this.#start;
  }

  get playing() {
    return this.#player?.playing ?? false;
  }

  /** Whether time stands still because the next seconds are not separated yet. */
  get waiting() {
    return this.#player?.waiting ?? false;
  }

  /** Whether the browser cannot play at this song's rate. */
  get failed() {
    return this.#failed;
  }

  /**
   * Take another song, or the same one with other stems.
   * @param {Song | null} song
   */
  load(song) {
    const stems = song?.stems ?? [];
    if (song === this.#song && stems === this.#stems) return;
    if (song !== this.#song) this.#start = 0;
    else this.#start = this.position;
    void this.#opening?.then((player) => player.close()).catch(() => {});
    this.#song = song;
    this.#stems = stems;
    this.#opening = null;
    this.#player = null;
    this.#failed = false;
    this.#changed();
  }

  async toggle() {
    if (this.playing) this.#player?.pause();
    else await (await this.#open())?.play();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const { format } = this.#song ?? {};
    this.#start = seconds;
    if (format) this.#player?.seek(seconds * format.rate);
    this.#changed();
  }

  /** Take over the desk's controls. */
  mix() {
    this.#player?.setGains(this.#gains());
  }

  async #open() {
    const { track, format } = this.#song ?? {};
    const stems = this.#stems;
    if (!track || !format || stems.length === 0 || this.#failed) return null;
    try {
      this.#opening ??= Player.open([track, ...stems], format.rate, this.#gains());
      const player = await this.#opening;
      if (stems !== this.#stems) return null;
      if (this.#player !== player) this.#adopt(player, format.rate);
      return player;
    } catch {
      this.#failed = true;
      this.#changed();
      return null;
    }
  }

  /** @param {Player} player @param {number} rate */
  #adopt(player, rate) {
    this.#player = player;
    player.seek(this.#start * rate);
    player.addEventListener("change", () => this.#changed());
  }

  /** The song first, then its stems. */
  #gains() {
    const desk = this.#song?.desk;
    const gains = desk ? stripGains(this.#stems.map(({ name }) => desk.strips[name])) : [];
    return desk?.original ? [1, ...gains.map(() => 0)] : [0, ...gains];
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
