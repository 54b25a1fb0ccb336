/** Plays the selected song with the gains of its desk; the player is opened when playback first begins. */

import { sideGains, toGain } from "./gains.js";
import { Player } from "./player.js";

/** @typedef {import("../../library/track.js").Track} Track */
/** @typedef {import("./gains.js").Strip} Strip */

/**
 * The settings of a song's desk that concern playback. Gains are in dB, times in seconds.
 * @typedef {object} Desk
 * @property {Record<string, Strip>} strips by stem
 * @property {number} master
 * @property {boolean} original
 * @property {number} position where playback resumes
 * @property {{ start: number, stop: number } | null} region
 * @property {boolean} looping true when the region, or the song without one, is repeated
 */

/**
 * A song as the transport plays it.
 * @typedef {object} Song
 * @property {string} id
 * @property {{ rate: number } | null} format null until it is decoded
 * @property {number} duration in seconds
 * @property {Track | null} track the song itself
 * @property {Track[]} stems
 * @property {Desk} desk
 */

/** Dispatches `change` when any of its properties has changed, and `leave` with the position in a song it leaves. */
export class Transport extends EventTarget {
  /** @type {Song | null} */
  #song = null;
  /** @type {Song["stems"]} */
  #stems = [];
  /** Position in seconds without a player. */
  #position = 0;
  /** @type {Promise<Player> | null} */
  #opening = null;
  /** @type {Player | null} */
  #player = null;
  #failed = false;
  #isSilent = false;
  #clipped = false;

  /** In seconds. */
  get position() {
    const rate = this.#song?.format?.rate ?? 1;
    return this.#player ? this.#player.position / rate : this.#position;
  }

  get playing() {
    return this.#player?.playing ?? false;
  }

  /** True while playback waits for samples that are not separated yet. */
  get waiting() {
    return this.#player?.waiting ?? false;
  }

  /** True when the samples could not be read on. */
  get unreadable() {
    return this.#player?.unreadable ?? false;
  }

  /** @returns {import("../protocol.js").Levels} */
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

  /** True when no audio device has answered the last attempt to play. */
  get silent() {
    return this.#isSilent;
  }

  /**
   * Loads another song, or the same one with other stems.
   * @param {Song | null} song
   */
  load(song) {
    const stems = song?.stems ?? [];
    const isSame = song?.id === this.#song?.id;
    const position = this.position;
    if (!isSame) this.#leave(position);
    this.#song = song;
    if (isSame && stems === this.#stems) return;
    this.#position = isSame ? position : (song?.desk.position ?? 0);
    void this.#opening?.then((player) => player.close()).catch(() => {});
    this.#stems = stems;
    this.#opening = null;
    this.#player = null;
    this.#failed = false;
    this.#isSilent = false;
    this.#clipped = false;
    this.#changed();
  }

  async toggle() {
    if (this.playing) this.#player?.pause();
    else await this.#play();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const { format } = this.#song ?? {};
    if (!format) return;
    this.#position = seconds;
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

  async #play() {
    const player = await this.#open();
    if (!player) return;
    const isSilent = !(await player.play());
    if (player !== this.#player || isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
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
    const { format } = /** @type {Song} */ (this.#song);
    this.#player = player;
    player.seek(this.#position * (format?.rate ?? 1));
    player.repeat(this.#loop);
    player.addEventListener("change", () => {
      this.#clipped ||= player.levels.master > 1;
      this.#changed();
    });
  }

  /** @param {number} position in seconds, where playback resumes when the song is loaded again */
  #leave(position) {
    if (this.#song)
      this.dispatchEvent(new CustomEvent("leave", { detail: { song: this.#song.id, position } }));
  }

  /** @returns {import("../protocol.js").Controls | null} */
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
