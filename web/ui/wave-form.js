/** A waveform drawn from peaks, with a second layer that tints the separated part. */

import { h } from "./dom.js";
import { FinePeaks } from "./fine-peaks.js";
import { onThemeChange } from "./theme.js";

/** @typedef {import("../library/track.js").Peaks} Peaks */
/** @typedef {import("../library/track.js").Track} Track */

/** Quietest peak that is scaled to full height: noise must not look like music. */
const QUIETEST_FULL_SCALE = 0.05;

/**
 * @typedef {object} Picture
 * @property {Track | null} track
 * @property {number} scale the peak that fills the height
 * @property {number} first visible sample
 * @property {number} last
 */

export class WaveForm extends HTMLElement {
  #layers = [h("canvas", { class: "wave-dim" })];
  /** @type {Picture | null} */
  #picture = null;
  #drawn = 0;
  #finePeaks = new FinePeaks(() => this.#draw());
  #abort = new AbortController();

  connectedCallback() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.replaceChildren(...this.#layers);
    const observer = new ResizeObserver(() => this.#draw());
    observer.observe(this);
    signal.addEventListener("abort", () => observer.disconnect());
    onThemeChange(() => this.#draw(), signal);
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  /** @param {Picture} picture */
  show(picture) {
    const before = this.#picture;
    this.#picture = picture;
    const { track, scale, first, last } = picture;
    const same = before?.track === track && before?.scale === scale && this.#drawn === (track?.drawn ?? 0);
    if (!same || before?.first !== first || before.last !== last) this.#draw();
  }

  /** @param {number} fraction of the width that is tinted */
  set lit(fraction) {
    if (fraction > 0 && this.#layers.length === 1) this.#addLit();
    this.style.setProperty("--lit", String(fraction));
  }

  /** Adds the second layer, which most waveforms never need. */
  #addLit() {
    const lit = h("canvas", { class: "wave-lit" });
    this.#layers[0].after(lit);
    this.#layers.push(lit);
    this.#draw();
  }

  #draw() {
    const { track = null, first = 0, last = 0 } = this.#picture ?? {};
    this.#drawn = track?.drawn ?? 0;
    for (const canvas of this.#layers) {
      const width = Math.round(this.clientWidth * devicePixelRatio);
      const height = Math.round(this.clientHeight * devicePixelRatio);
      if (!width || !height) return;
      canvas.width = width;
      canvas.height = height;
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.fillStyle = getComputedStyle(canvas).color;
      if (!this.#picture || !track) continue;
      drawPeaks(context, this.#finePeaks.peaks(track, first, last, width), this.#picture);
    }
  }
}

/** @param {Float32Array} peaks @returns {number} the scale at which the highest peak fills the height */
export function fullScale(peaks) {
  let highest = QUIETEST_FULL_SCALE;
  for (const peak of peaks) highest = Math.max(highest, Math.abs(peak));
  return highest;
}

/** @param {CanvasRenderingContext2D} context @param {Peaks} peaks @param {Picture} picture */
function drawPeaks(context, { values, hop, origin, start, stop }, { scale, first, last }) {
  const { width, height } = context.canvas;
  const middle = height / 2;
  const pairAt = (/** @type {number} */ x) => (first + (x * (last - first)) / width - origin) / hop;
  for (let x = 0; x < width; x += 1) {
    const from = Math.floor(pairAt(x));
    const to = Math.max(from + 1, Math.floor(pairAt(x + 1)));
    if (origin + from * hop < start) continue;
    if (origin + (to - 1) * hop >= stop) break;
    let low = 0;
    let high = 0;
    for (let pair = from; pair < to; pair += 1) {
      low = Math.min(low, values[2 * pair]);
      high = Math.max(high, values[2 * pair + 1]);
    }
    const top = middle - Math.min(1, high / scale) * middle;
    const bottom = middle - Math.max(-1, low / scale) * middle;
    context.fillRect(x, Math.min(top, middle - 0.5), 1, Math.max(1, bottom - top));
  }
}

customElements.define("wave-form", WaveForm);
