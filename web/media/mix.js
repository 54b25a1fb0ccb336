/** What the desk's controls mean: the gain of every stem. */

/** The volume slider's lowest position is silence. */
export const SILENT_DB = -60;
export const LOUDEST_DB = 6;

/**
 * @typedef {object} Strip
 * @property {boolean} muted
 * @property {boolean} soloed
 * @property {number} volume in dB
 */

/** @returns {Strip} */
export function neutralStrip() {
  return { muted: false, soloed: false, volume: 0 };
}

/** @param {number} decibel */
export function toGain(decibel) {
  return decibel <= SILENT_DB ? 0 : 10 ** (decibel / 20);
}

/**
 * Solo wins over the stems without it; mute wins over solo.
 * @param {Strip[]} strips
 * @returns {number[]} linear gains
 */
export function stripGains(strips) {
  const soloing = strips.some((strip) => strip.soloed);
  return strips.map((strip) => {
    const heard = !strip.muted && (!soloing || strip.soloed);
    return heard ? toGain(strip.volume) : 0;
  });
}
