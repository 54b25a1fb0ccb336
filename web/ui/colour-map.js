/**
 * Colours for levels. Lightness alone orders them, evenly in Oklab, and the hue goes from blue to yellow, which people
 * see alike with and without red and green: silence is the page's ground, in both themes.
 */

import { currentTheme } from "./theme.js";

const SHADES = 256;

/** Lightness and hue of silence and of full scale. */
const MAPS = {
  dark: { lightness: [0.17, 0.95], hue: [275, 100] },
  light: { lightness: [0.985, 0.24], hue: [100, 275] },
};

/** The most between them; silence has none. */
const CHROMA = 0.12;

/** @type {Map<string, Uint32Array>} */
const known = new Map();

/** One pixel for each level, as image data has them. @returns {Uint32Array} */
export function colourMap() {
  const theme = currentTheme();
  let colours = known.get(theme);
  if (!colours) {
    colours = makeMap(MAPS[theme]);
    known.set(theme, colours);
  }
  return colours;
}

/** @param {typeof MAPS.dark} map */
function makeMap({ lightness, hue }) {
  const canvas = new OffscreenCanvas(SHADES, 1);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (let shade = 0; shade < SHADES; shade += 1) {
    const part = shade / (SHADES - 1);
    const between = (/** @type {number[]} */ [from, to]) => from + part * (to - from);
    const chroma = CHROMA * Math.sin(Math.PI * 0.92 * part);
    context.fillStyle = `oklch(${between(lightness)} ${chroma} ${between(hue)})`;
    context.fillRect(shade, 0, 1, 1);
  }
  return new Uint32Array(context.getImageData(0, 0, SHADES, 1).data.buffer);
}
