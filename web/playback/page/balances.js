/** Balances: ready-made settings of the strips, for songs that have the stems for them. */

import { neutralStrip } from "./gains.js";

/** @typedef {import("./gains.js").Strip} Strip */

/** @type {Record<string, { needs: string | null, muted: (stem: string) => boolean }>} */
const BALANCES = {
  karaoke: { needs: "vocals", muted: (stem) => stem === "vocals" },
  vocals: { needs: "vocals", muted: (stem) => stem !== "vocals" },
  "no-drums": { needs: "drums", muted: (stem) => stem === "drums" },
  "no-bass": { needs: "bass", muted: (stem) => stem === "bass" },
  original: { needs: null, muted: () => false },
};

/** Names of the balances for these stems. @param {string[]} stems */
export function balancesFor(stems) {
  return Object.keys(BALANCES).filter((name) => {
    const { needs } = BALANCES[name];
    return needs === null || stems.includes(needs);
  });
}

/**
 * @param {string} name
 * @param {string[]} stems
 * @returns {Record<string, Strip>} by stem
 */
export function balanceStrips(name, stems) {
  const { muted } = BALANCES[name];
  return Object.fromEntries(stems.map((stem) => [stem, { ...neutralStrip(), muted: muted(stem) }]));
}

/**
 * The balance that the strips are set to.
 * @param {Record<string, Strip>} strips by stem
 * @returns {string | undefined} its name
 */
export function balanceOf(strips) {
  const stems = Object.keys(strips);
  const same = (/** @type {Strip} */ one, /** @type {Strip} */ other) =>
    one.muted === other.muted &&
    one.soloed === other.soloed &&
    one.volume === other.volume &&
    one.pan === other.pan;
  return balancesFor(stems).find((name) => {
    const balance = balanceStrips(name, stems);
    return stems.every((stem) => same(strips[stem], balance[stem]));
  });
}
