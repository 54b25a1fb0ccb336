/**
 * The colour map of spectrograms. Lightness is even in Oklab and alone orders the colours; the hue runs from blue to
 * yellow, which people with and without colour blindness tell apart. Silence has the colour of the page in both themes.
 */

import { currentTheme } from "./theme.js";

const SHADES = 256;

/** Lightness and hue of silence and of full scale. */
const MAPS = {
  dark: { lightness: [0.17, 0.95], hue: [275, 100] },
  light: { lightness: [0.985, 0.24], hue: [100, 275] },
};

/** The highest chroma, between the ends. */
const CHROMA = 0.12;

/** @type {Map<string, Uint32Array>} */
const maps = new Map();

/** @returns {Uint32Array} a colour for each value of a byte, as image data stores it */
export function colourMap() {
  const theme = currentTheme();
  let colours = maps.get(theme);
  if (!colours) {
    colours = makeMap(MAPS[theme]);
    maps.set(theme, colours);
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
