/** What the desk's controls mean: the gains of every stem and of the whole. */

/** The lowest position of a fader is silence. */
export const SILENT_DB = -60;
export const LOUDEST_DB = 6;

/**
 * What each step of a fader stands for, in dB, from the bottom up. Travel is spent where people mix: half a decibel a
 * step near full level, three where there is little left to hear.
 */
export const FADER = [
  ...range(SILENT_DB, -24, 3),
  ...range(-24, -12, 1),
  ...range(-12, LOUDEST_DB, 0.5),
  LOUDEST_DB,
];

/**
 * @typedef {object} Strip
 * @property {boolean} muted
 * @property {boolean} soloed
 * @property {number} volume in dB
 * @property {number} pan from -1, left, to 1, right
 */

/** @typedef {[left: number, right: number]} Sides linear gains */

/**
 * What the mixer is told.
 * @typedef {object} Controls
 * @property {Sides[]} stems
 * @property {number} master linear gain of what is heard, stems or song
 * @property {boolean} original whether the song itself is heard, as loud as the mix of the stems
 */

/** @returns {Strip} */
export function neutralStrip() {
  return { muted: false, soloed: false, volume: 0, pan: 0 };
}

/** @param {number} decibel */
export function toGain(decibel) {
  return decibel <= SILENT_DB ? 0 : 10 ** (decibel / 20);
}

/** The fader's step that is nearest. @param {number} decibel */
export function faderStep(decibel) {
  const above = FADER.findIndex((each) => each >= decibel);
  if (above <= 0) return above === 0 ? 0 : FADER.length - 1;
  return decibel - FADER[above - 1] < FADER[above] - decibel ? above - 1 : above;
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

/**
 * The two sides' gains of every stem. Panning turns the far side down and leaves the near one as it is, so that a stem
 * in the centre has its own level, and all stems there make the song.
 * @param {Strip[]} strips
 * @returns {Sides[]}
 */
export function sideGains(strips) {
  return stripGains(strips).map((gain, index) => {
    const { pan } = strips[index];
    return [gain * Math.min(1, 1 - pan), gain * Math.min(1, 1 + pan)];
  });
}

/** @param {number} start @param {number} stop @param {number} step */
function range(start, stop, step) {
  return Array.from({ length: (stop - start) / step }, (_, index) => start + index * step);
}
