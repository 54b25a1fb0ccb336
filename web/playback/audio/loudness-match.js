/** Makes the song as loud as the mix it is compared with: what is louder seems better. */

/** The loudness is that of so much of the past, roughly. */
const MEMORY_SECONDS = 3;

/** So much has to be heard before the gain stays as it is. */
const ENOUGH_SECONDS = 1;

/** No further than this: a mix of almost nothing is not the measure of a song. */
const FURTHEST_GAIN = 4;

export class LoudnessMatch {
  #forget;
  #enough;
  #mix = 0;
  #song = 0;
  #heard = 0;
  #gain = 1;

  /** @param {number} rate in Hz */
  constructor(rate) {
    this.#forget = 1 / (MEMORY_SECONDS * rate);
    this.#enough = ENOUGH_SECONDS * rate;
  }

  /** Linear, for the song. */
  get gain() {
    return this.#gain;
  }

  /** @param {number} mix @param {number} song samples of one moment */
  hear(mix, song) {
    this.#mix += this.#forget * (mix * mix - this.#mix);
    this.#song += this.#forget * (song * song - this.#song);
  }

  /**
   * All channels of a moment were heard. While the song is listened to its gain stays: it does not breathe.
   * @param {boolean} listening to the song
   */
  settle(listening) {
    this.#heard += 1;
    if (listening && this.#heard > this.#enough) return;
    const gain = this.#song > 0 && this.#mix > 0 ? Math.sqrt(this.#mix / this.#song) : 1;
    this.#gain = Math.min(FURTHEST_GAIN, Math.max(1 / FURTHEST_GAIN, gain));
  }
}
