/** Matches the loudness of the song to that of the mix: in a comparison, louder sounds better. */

/** Time constant of the loudness. */
const AVERAGING_SECONDS = 3;

/** The gain is not held before this much has been measured. */
const MIN_SECONDS = 1;

/** Limit of the gain and its inverse, for mixes of almost nothing. */
const MAX_GAIN = 4;

export class LoudnessMatch {
  #step;
  #minSamples;
  #mixPower = 0;
  #songPower = 0;
  #measured = 0;
  #gain = 1;

  /** @param {number} rate in Hz */
  constructor(rate) {
    this.#step = 1 / (AVERAGING_SECONDS * rate);
    this.#minSamples = MIN_SECONDS * rate;
  }

  /** Linear gain for the song. */
  get gain() {
    return this.#gain;
  }

  /** Measures one channel of a frame. @param {number} mix @param {number} song */
  add(mix, song) {
    this.#mixPower += this.#step * (mix * mix - this.#mixPower);
    this.#songPower += this.#step * (song * song - this.#songPower);
  }

  /**
   * Updates the gain after all channels of a frame.
   * @param {boolean} hold true while the song is played, so its loudness stays constant
   */
  update(hold) {
    this.#measured += 1;
    if (hold && this.#measured > this.#minSamples) return;
    const both = this.#songPower > 0 && this.#mixPower > 0;
    const gain = both ? Math.sqrt(this.#mixPower / this.#songPower) : 1;
    this.#gain = Math.min(MAX_GAIN, Math.max(1 / MAX_GAIN, gain));
  }
}
