/** Plays the song that is shown: opens a player when it is first asked to, with the gains of the song's desk. */

import { sideGains, toGain } from "./gains.js";
import { Player } from "./player.js";

/** @typedef {import("../../app/song.js").Song} Song */

/** Dispatches `change` whenever something of it has changed, and `leave` with the position of a song that it leaves. */
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
  #clipped = false;

  /** In seconds. */
  get position() {
    const rate = this.#song?.format?.rate ?? 1;
    return this.#player ? this.#player.position / rate : this.#position;
  }

  get playing() {
    return this.#player?.playing ?? false;
  }

  /** Whether time stands still because the next seconds are not separated yet. */
  get waiting() {
    return this.#player?.waiting ?? false;
  }

  /** @returns {import("./player.js").Levels} */
  get levels() {
    return this.#player?.levels ?? { stems: [], master: 0 };
  }

  /** Whether what was heard went past full scale since the light was put out. */
  get clipped() {
    return this.#clipped;
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
    this.#clipped = false;
    this.#changed();
  }

  async toggle() {
    if (this.playing) this.#player?.pause();
    else await (await this.#open())?.play();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const { format } = this.#song ?? {};
    if (!format) return;
    this.#position = seconds;
    this.#player?.seek(seconds * format.rate);
    this.#changed();
  }

  /** Take over the desk's controls. */
  mix() {
    const controls = this.#controls;
    if (controls) this.#player?.control(controls);
  }

  /** Take over the desk's region and whether it is repeated. */
  repeat() {
    this.#player?.repeat(this.#loop);
  }

  /** Puts the light out that tells of clipping. */
  unclip() {
    this.#clipped = false;
    this.#changed();
  }

  async #open() {
    const { track, format } = this.#song ?? {};
    const controls = this.#controls;
    const stems = this.#stems;
    if (!track || !format || !controls || stems.length === 0 || this.#failed) return null;
    try {
      this.#opening ??= Player.open([track, ...stems], format.rate, controls);
      const player = await this.#opening;
      if (stems !== this.#stems) return null;
      if (this.#player !== player) this.#adopt(player);
      return player;
    } catch {
      this.#failed = true;
      this.#changed();
      return null;
    }
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

  /** @param {number} position in seconds, where playing goes on when the song is shown again */
  #leave(position) {
    if (this.#song)
      this.dispatchEvent(new CustomEvent("leave", { detail: { song: this.#song.id, position } }));
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
