/** A spectrogram in colour, low frequencies at the bottom, labelled at the left. */

import { high, LOW, ROWS } from "../app/spectrograms.js";
import { colourMap } from "./colour-map.js";
import { h } from "./dom.js";
import { frequency } from "./format.js";
import { onThemeChange } from "./theme.js";

/** @typedef {import("../app/spectrograms.js").Spectrograms} Spectrograms */
/** @typedef {import("../library/track.js").Track} Track */
/** @typedef {{ start: number, stop: number, rate: number }} Part in samples */

const LABELS = [100, 1000, 10_000];

/** Columns of one request. */
const BLOCK = 64;
const MOST_COLUMNS = 1024;

/** A view must stay unchanged for this long before it is analysed. */
const REST_MS = 150;

export class SpectroGram extends HTMLElement {
  #canvas = h("canvas");
  #labels = h("div", { class: "pitches" });
  /** @type {{ part: Part, columns: number, next: number, pixels: Uint8Array } | null} */
  #picture = null;
  #image = new OffscreenCanvas(1, ROWS);
  /** @type {Spectrograms | null} */
  #spectrograms = null;
  /** @type {Track | null} */
  #track = null;
  /** @type {Part} */
  #part = { start: 0, stop: 0, rate: 1 };
  /** @type {number | undefined} */
  #timer;
  #working = false;
  #failed = false;
  #abort = new AbortController();

  connectedCallback() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.replaceChildren(this.#canvas, this.#labels);
    const observer = new ResizeObserver(() => this.#renew());
    observer.observe(this);
    signal.addEventListener("abort", () => observer.disconnect());
    onThemeChange(() => this.#recolour(), signal);
  }

  disconnectedCallback() {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  /** @param {Spectrograms} spectrograms @param {Track} track @param {Part} part */
  show(spectrograms, track, part) {
    const { start, stop, rate } = this.#part;
    const same = start === part.start && stop === part.stop && this.#track === track;
    this.#spectrograms = spectrograms;
    if (this.#track !== track) this.#picture = null;
    this.#track = track;
    this.#part = part;
    if (rate !== part.rate) this.#label();
    if (!same) this.#renew();
    else void this.#work();
  }

  /** Draws the present picture at its new place, and starts a new one when the view has settled. */
  #renew() {
    this.#draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), REST_MS);
  }

  #begin() {
    const columns = Math.min(MOST_COLUMNS, Math.round(this.clientWidth * devicePixelRatio));
    if (columns === 0 || !this.#track) return;
    const image = new OffscreenCanvas(columns, ROWS);
    this.#place(/** @type {OffscreenCanvasRenderingContext2D} */ (image.getContext("2d")), columns, ROWS);
    this.#image = image;
    this.#failed = false;
    this.#picture = { part: this.#part, columns, next: 0, pixels: new Uint8Array(columns * ROWS) };
    void this.#work();
  }

  /** Requests block after block of columns, up to the samples that are available. */
  async #work() {
    if (this.#working || this.#failed) return;
    this.#working = true;
    try {
      for (;;) {
        const picture = this.#picture;
        const track = this.#track;
        const block = picture && track && nextBlock(picture, track);
        if (!block || !this.#spectrograms || !this.isConnected || this.hidden) break;
        const pixels = await this.#spectrograms.pixels(track, picture.part.rate, block);
        if (picture !== this.#picture) continue;
        picture.pixels.set(pixels, picture.next * ROWS);
        this.#paint(picture.next, block.columns);
        picture.next += block.columns;
        this.#draw();
      }
    } catch (reason) {
      // The next rendering repeats cancelled requests.
      this.#failed = /** @type {any} */ (reason)?.code !== "cancelled";
    }
    this.#working = false;
  }

  #recolour() {
    if (this.#picture) this.#paint(0, this.#picture.next);
    this.#draw();
  }

  /** Colours some columns. @param {number} first column @param {number} count */
  #paint(first, count) {
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.#image.getContext("2d"));
    const { pixels } = this.#picture ?? {};
    if (!pixels || count === 0) return;
    const colours = colourMap();
    const image = context.createImageData(count, ROWS);
    const coloured = new Uint32Array(image.data.buffer);
    for (let column = 0; column < count; column += 1) {
      for (let row = 0; row < ROWS; row += 1) {
        coloured[(ROWS - 1 - row) * count + column] = colours[pixels[(first + column) * ROWS + row]];
      }
    }
    context.putImageData(image, first, 0);
  }

  #draw() {
    const { clientWidth, clientHeight } = this;
    if (!clientWidth || !clientHeight) return;
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    this.#place(context, this.#canvas.width, this.#canvas.height);
  }

  /**
   * Draws the picture at its place in the visible part.
   * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  #place(context, width, height) {
    if (!this.#picture) return;
    const { part } = this.#picture;
    const { start, stop } = this.#part;
    const scale = width / (stop - start);
    const left = (part.start - start) * scale;
    context.drawImage(this.#image, left, 0, (part.stop - part.start) * scale, height);
  }

  #label() {
    const highest = high(this.#part.rate);
    const labels = LABELS.filter((hertz) => hertz < highest).map((hertz) => {
      const label = h("span", {}, frequency(hertz));
      label.style.setProperty("--at", String(Math.log(hertz / LOW) / Math.log(highest / LOW)));
      return label;
    });
    this.#labels.replaceChildren(...labels);
  }
}

/**
 * @param {{ part: Part, columns: number, next: number }} picture
 * @param {Track} track
 * @returns {{ start: number, stop: number, columns: number } | null}
 */
function nextBlock({ part, columns, next }, { available, end }) {
  const width = (part.stop - part.start) / columns;
  const ready = available >= end ? columns : Math.floor((available - part.start) / width);
  const count = Math.min(BLOCK, columns - next, ready - next);
  if (count <= 0) return null;
  const start = part.start + next * width;
  return { start, stop: start + count * width, columns: count };
}

customElements.define("spectro-gram", SpectroGram);
