/** Balances that people often want, as far as a song has the stems for them. */

import { neutralStrip } from "./gains.js";

/** @typedef {import("./gains.js").Strip} Strip */

/** @type {Record<string, { needs: string | null, muted: (stem: string) => boolean }>} */
const PRESETS = {
  karaoke: { needs: "vocals", muted: (stem) => stem === "vocals" },
  vocals: { needs: "vocals", muted: (stem) => stem !== "vocals" },
  "no-drums": { needs: "drums", muted: (stem) => stem === "drums" },
  "no-bass": { needs: "bass", muted: (stem) => stem === "bass" },
  original: { needs: null, muted: () => false },
};

/** Names of those that stems allow. @param {string[]} stems */
export function presetsFor(stems) {
  return Object.keys(PRESETS).filter((name) => {
    const { needs } = PRESETS[name];
    return needs === null || stems.includes(needs);
  });
}

/**
 * @param {string} name
 * @param {string[]} stems
 * @returns {Record<string, Strip>} by stem
 */
export function presetStrips(name, stems) {
  const { muted } = PRESETS[name];
  return Object.fromEntries(stems.map((stem) => [stem, { ...neutralStrip(), muted: muted(stem) }]));
}

/**
 * Which of them the strips are at.
 * @param {Record<string, Strip>} strips by stem
 */
export function presetOf(strips) {
  const stems = Object.keys(strips);
  const same = (/** @type {Strip} */ one, /** @type {Strip} */ other) =>
    one.muted === other.muted &&
    one.soloed === other.soloed &&
    one.volume === other.volume &&
    one.pan === other.pan;
  return presetsFor(stems).find((name) => {
    const preset = presetStrips(name, stems);
    return stems.every((stem) => same(strips[stem], preset[stem]));
  });
}
