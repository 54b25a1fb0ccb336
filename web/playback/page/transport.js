/** Plays the selected song with the gains of its desk; the player is opened when playback first begins. */

import { sideGains, toGain } from "./gains.js";
import { Player } from "./player.js";

/** @typedef {import("../../app/song.js").Song} Song */

/** Fires `change` when any of its properties has changed. */
export class Transport extends EventTarget {
  /** @type {Song | null} */
  #song = null;
  /** @type {Song["stems"]} */
  #stems = [];
  /** @type {Promise<Player> | null} */
  #opening = null;
  /** @type {Player | null} */
  #player = null;
  #failed = false;
  #clipped = false;

  /** In seconds. */
  get position() {
    const rate = this.#song?.format?.rate ?? 1;
    return this.#player ? this.#player.position / rate : (this.#song?.desk.position ?? 0);
  }

  get playing() {
    return this.#player?.playing ?? false;
  }

  /** True while time stands still because the next seconds are not separated yet. */
  get waiting() {
    return this.#player?.waiting ?? false;
  }

  /** @returns {import("./player.js").Levels} */
  get levels() {
    return this.#player?.levels ?? { stems: [], master: 0 };
  }

  /** True when the output has exceeded full scale since `resetClipping`. */
  get clipped() {
    return this.#clipped;
  }

  /** True when the browser cannot play at this song's rate. */
  get failed() {
    return this.#failed;
  }

  /**
   * Loads another song, or the same one with other stems.
   * @param {Song | null} song
   */
  load(song) {
    const stems = song?.stems ?? [];
    if (song === this.#song && stems === this.#stems) return;
    this.#keepPosition();
    void this.#opening?.then((player) => player.close()).catch(() => {});
    this.#song = song;
    this.#stems = stems;
    this.#opening = null;
    this.#player = null;
    this.#failed = false;
    this.#clipped = false;
    this.#changed();
  }

  async toggle() {
    if (this.playing) this.#player?.pause();
    else await (await this.#open())?.play();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const { format, desk } = this.#song ?? {};
    if (!format || !desk) return;
    desk.position = seconds;
    this.#player?.seek(seconds * format.rate);
    this.#changed();
  }

  /** Applies the desk's strips and master. */
  applyGains() {
    const controls = this.#controls;
    if (controls) this.#player?.control(controls);
  }

  /** Applies the desk's region and loop. */
  applyLoop() {
    this.#player?.repeat(this.#loop);
  }

  resetClipping() {
    this.#clipped = false;
    this.#changed();
  }

  async #open() {
    const { track, format } = this.#song ?? {};
    const controls = this.#controls;
    const stems = this.#stems;
    if (!track || !format || !controls || stems.length === 0 || this.#failed) return null;
    this.#opening ??= Player.open([track, ...stems], format.rate, controls);
    const opening = this.#opening;
    const player = await opening.catch(() => null);
    if (opening !== this.#opening) return null; // another song has been loaded, which closes this player
    if (!player) {
      this.#failed = true;
      this.#changed();
    } else if (this.#player !== player) this.#adopt(player);
    return player;
  }

  /** @param {Player} player */
  #adopt(player) {
    const { desk, format } = /** @type {Song} */ (this.#song);
    this.#player = player;
    player.seek(desk.position * (format?.rate ?? 1));
    player.repeat(this.#loop);
    player.addEventListener("change", () => {
      this.#clipped ||= player.levels.master > 1;
      this.#changed();
    });
  }

  /** Remembers the position for the next time that the song is selected. */
  #keepPosition() {
    if (this.#song) this.#song.desk.position = this.position;
  }

  /** @returns {import("./gains.js").Controls | null} */
  get #controls() {
    const desk = this.#song?.desk;
    if (!desk) return null;
    const stems = sideGains(this.#stems.map(({ name }) => desk.strips[name]));
    return { stems, master: toGain(desk.master), original: desk.original };
  }

  /** @returns {import("./player.js").Range | null} in samples */
  get #loop() {
    const { desk, format, duration } = this.#song ?? {};
    if (!desk?.looping || !format || !duration) return null;
    const { start, stop } = desk.region ?? { start: 0, stop: duration };
    return { start: Math.round(start * format.rate), stop: Math.round(stop * format.rate) };
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
