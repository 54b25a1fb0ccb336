/** A waveform from peaks: a dim layer, a lit layer up to some point, and a playhead. It never sees samples. */

import { h, tell } from "./dom.js";
import { onThemeChange } from "./theme.js";

/** Quiet songs are drawn larger, but noise is not drawn as music. */
const QUIETEST_FULL_SCALE = 0.05;

/**
 * @typedef {object} Picture
 * @property {Float32Array} peaks [lowest, highest] pairs
 * @property {number} drawn pairs that are final
 * @property {number} scale the peak that fills the height
 */

export class WaveForm extends HTMLElement {
  #layers = [h("canvas", { class: "wave-dim" })];
  /** @type {Picture | null} */
  #picture = null;
  #abort = new AbortController();

  connectedCallback() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.setAttribute("aria-hidden", "true");
    this.replaceChildren(...this.#layers, h("div", { class: "playhead" }));
    const observer = new ResizeObserver(() => this.#draw());
    observer.observe(this);
    signal.addEventListener("abort", () => observer.disconnect());
    onThemeChange(() => this.#draw(), signal);
    this.addEventListener("pointerdown", (event) => this.#point(event), { signal });
    this.addEventListener("pointermove", (event) => this.#point(event), { signal });
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  /** @param {Picture} picture */
  show(picture) {
    const before = this.#picture;
    this.#picture = picture;
    if (before?.peaks !== picture.peaks || before.drawn !== picture.drawn || before.scale !== picture.scale) {
      this.#draw();
    }
  }

  /** @param {number} fraction how much is lit */
  set lit(fraction) {
    if (fraction > 0 && this.#layers.length === 1) this.#addLit();
    this.style.setProperty("--lit", String(fraction));
  }

  /** @param {number | null} fraction where the playhead stands */
  set playhead(fraction) {
    this.toggleAttribute("data-playhead", fraction !== null);
    this.style.setProperty("--playhead", String(fraction ?? 0));
  }

  /** Most waveforms never need the second layer. */
  #addLit() {
    const lit = h("canvas", { class: "wave-lit" });
    this.#layers[0].after(lit);
    this.#layers.push(lit);
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (event.buttons !== 1) return;
    const { left, width } = this.getBoundingClientRect();
    tell(this, "seek-fraction", Math.min(1, Math.max(0, (event.clientX - left) / width)));
  }

  #draw() {
    for (const canvas of this.#layers) {
      const width = Math.round(this.clientWidth * devicePixelRatio);
      const height = Math.round(this.clientHeight * devicePixelRatio);
      if (!width || !height) return;
      canvas.width = width;
      canvas.height = height;
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.fillStyle = getComputedStyle(canvas).color;
      if (this.#picture) drawPeaks(context, this.#picture);
    }
  }
}

/** @param {Float32Array} peaks @returns {number} the highest of them, for `Picture.scale` */
export function fullScale(peaks) {
  let highest = QUIETEST_FULL_SCALE;
  for (const peak of peaks) highest = Math.max(highest, Math.abs(peak));
  return highest;
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture */
function drawPeaks(context, { peaks, drawn, scale }) {
  const { width, height } = context.canvas;
  const pairs = peaks.length / 2;
  const middle = height / 2;
  for (let x = 0; x < width; x += 1) {
    const first = Math.floor((x * pairs) / width);
    const last = Math.max(first + 1, Math.floor(((x + 1) * pairs) / width));
    if (last > drawn) break;
    let low = 0;
    let high = 0;
    for (let pair = first; pair < last; pair += 1) {
      low = Math.min(low, peaks[2 * pair]);
      high = Math.max(high, peaks[2 * pair + 1]);
    }
    const top = middle - Math.min(1, high / scale) * middle;
    const bottom = middle - Math.max(-1, low / scale) * middle;
    context.fillRect(x, Math.min(top, middle - 0.5), 1, Math.max(1, bottom - top));
  }
}

customElements.define("wave-form", WaveForm);
