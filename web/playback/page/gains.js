/** Gains of the stems and the master, from the controls of the desk. */

/** @typedef {import("../protocol.js").Sides} Sides */

/** The lowest position of a fader, which is silence. */
export const SILENT_DB = -60;
const LOUDEST_DB = 6;

/**
 * Volumes of a fader's steps in dB, from the bottom up: fine near full level, where people mix, and coarse near silence.
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

/** @returns {Strip} */
export function neutralStrip() {
  return { muted: false, soloed: false, volume: 0, pan: 0 };
}

/** @param {number} decibel */
export function toGain(decibel) {
  return decibel <= SILENT_DB ? 0 : 10 ** (decibel / 20);
}

/** Index of the nearest step of the fader. @param {number} decibel */
export function faderStep(decibel) {
  const above = FADER.findIndex((each) => each >= decibel);
  if (above <= 0) return above === 0 ? 0 : FADER.length - 1;
  return decibel - FADER[above - 1] < FADER[above] - decibel ? above - 1 : above;
}

/**
 * Gains of the strips. Solo silences the stems without it; mute silences a stem even when it is soloed.
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
 * Left and right gains of the strips. Panning turns the far side down and keeps the near one, so the stems in the centre
 * sum to the song.
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
