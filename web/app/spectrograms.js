/** Spectrograms of tracks, one block of columns at a time. */

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../library/track.js").Track} Track */

/** Rows of a picture. */
export const ROWS = 192;

/** Lowest frequency that is drawn, in Hz. */
export const LOW = 30;

/** Highest frequency that is drawn, in Hz, if the song's rate allows it. */
const HIGHEST = 20_000;

/** Seconds around a column that its window may cover. */
const AROUND_SECONDS = 0.5;

export class Spectrograms {
  #engine;
  #store;
  #running = 0;

  /**
   * @param {EngineClient} engine
   * @param {import("./store.js").Store<import("./state.js").PageState>} store
   */
  constructor(engine, store) {
    this.#engine = engine;
    this.#store = store;
  }

  /**
   * Computes some columns of a picture.
   * @param {Track} track
   * @param {number} rate in Hz
   * @param {{ start: number, stop: number, columns: number }} block `start` and `stop` in samples
   * @returns {Promise<Uint8Array>} pixels by column and row, the lowest frequency first
   */
  async pixels(track, rate, { start, stop, columns }) {
    const around = AROUND_SECONDS * rate;
    const pieces = track.pieces.filter(
      (piece) => piece.start < stop + around && piece.start + piece.length > start - around,
    );
    const source = { rate, channels: track.channelCount, length: track.available, folder: null, pieces };
    const window = {
      start: Math.round(start),
      stop: Math.round(stop),
      columns,
      rows: ROWS,
      low: LOW,
      high: high(rate),
    };
    this.#count(1);
    try {
      return (await this.#engine.analyse("spectrogram", source, window)).pixels;
    } finally {
      this.#count(-1);
    }
  }

  /** @param {1 | -1} change */
  #count(change) {
    this.#running += change;
    const analysing = this.#running > 0;
    if (analysing !== this.#store.state.analysing) this.#store.set({ analysing });
  }
}

/** Highest frequency of a picture. @param {number} rate in Hz */
export function high(rate) {
  return Math.min(HIGHEST, rate / 2);
}
