/** Songs from files into the storage, one after another, each measured as soon as it is there. */

import { cancelled } from "../engine/errors.js";
import { removeSong } from "../library/library.js";
import { describe } from "./errors.js";
import { audioOf, hopFor, read } from "./song.js";

/** @typedef {import("../engine/client.js").EngineClient} EngineClient */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {(song: Song, changes: Partial<Song>) => void} Change */

export class Reading {
  #engine;
  #change;
  #last = Promise.resolve();
  /** @type {Map<Song, AbortController>} */
  #open = new Map();

  /** @param {EngineClient} engine @param {Change} change */
  constructor(engine, change) {
    this.#engine = engine;
    this.#change = change;
  }

  /**
   * @param {Song} song
   * @returns {Promise<void>} when its samples are there, or it has failed
   */
  read(song) {
    this.#open.set(song, new AbortController());
    this.#last = this.#last.then(() => this.#read(song));
    return this.#last;
  }

  /** Let go of a song. @param {Song} song */
  forget(song) {
    this.#open.get(song)?.abort(cancelled());
    this.#open.delete(song);
  }

  /**
   * Peaks and level of a song that is read. A job that begins before it has them measures by itself.
   * @param {Song} song
   */
  async survey(song) {
    const signal = (this.#open.get(song) ?? new AbortController()).signal;
    const audio = audioOf(song);
    while (audio && !signal.aborted) {
      try {
        const { peaks, level } = await this.#engine.survey(audio, hopFor(audio.length));
        song.track?.draw(peaks);
        this.#change(song, { level });
        return;
      } catch (reason) {
        const error = describe(reason);
        // A cancel stops all that the engine is at, and this was not meant; other errors meet the song itself.
        if (error.code === "cancelled") continue;
        if (error.code.startsWith("audio/") && song.status === "ready")
          this.#change(song, { status: "failed", error });
        return;
      }
    }
  }

  /** @param {Song} song */
  async #read(song) {
    const signal = this.#open.get(song)?.signal;
    if (!signal || !song.file) return;
    try {
      const { readSong } = await import("../media/read-song.js");
      const { pieces, tags, ...format } = await readSong(
        song.file,
        song.name,
        song.folder,
        signal,
        (fraction) => this.#change(song, { read: fraction }),
      );
      const status = song.plan ? "waiting" : "ready";
      this.#change(song, { ...read(format, pieces), tags, status });
    } catch (reason) {
      if (song.folder) await removeSong(song.id);
      this.#change(song, { status: "failed", error: describe(reason) });
      return;
    }
    void this.survey(song);
  }
}
