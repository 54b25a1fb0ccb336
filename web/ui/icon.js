/** Icons of the sprite `icons/lucide.svg`. */

import { siteUrl } from "../base/site.js";

const SVG = "http://www.w3.org/2000/svg";
const SPRITE = siteUrl("icons/lucide.svg").href;

/** @type {Record<string, string>} */
const STEM_ICONS = {
  vocals: "mic-vocal",
  drums: "drum",
  bass: "guitar",
  other: "piano",
  accompaniment: "audio-lines",
  harmonic: "waves",
  percussive: "drum",
};

/**
 * A decorative icon: whatever carries it has its own name.
 * @param {string} name of a symbol in `icons/lucide.svg`
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} stem */
export function stemIcon(stem) {
  return icon(STEM_ICONS[stem] ?? "music");
}
