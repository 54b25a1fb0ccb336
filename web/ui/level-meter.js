/** A level meter: a bar that rises at once and falls slowly. Hidden from screen readers. */

import { h } from "./dom.js";

/** The level at the foot of the bar. */
const QUIETEST_DB = -48;

const FALL_DB_PER_SECOND = 40;

export class LevelMeter extends HTMLElement {
  #bar = h("div");
  #shown = QUIETEST_DB;
  #since = 0;
  #frame = 0;

  connectedCallback() {
    this.setAttribute("aria-hidden", "true");
    this.replaceChildren(this.#bar);
  }

  /** @param {number} peak the highest sample since the last one */
  set peak(peak) {
    this.#move(20 * Math.log10(peak));
  }

  /** Rises to a level, or falls towards it. @param {number} level in dB */
  #move(level) {
    const now = performance.now() / 1000;
    const falling = this.#shown - (now - this.#since) * FALL_DB_PER_SECOND;
    const shown = Math.max(level, falling, QUIETEST_DB);
    this.#since = now;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#bar.style.setProperty("--level", String(Math.min(1, 1 - shown / QUIETEST_DB)));
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#move(QUIETEST_DB); // keeps falling in silence
    });
  }
}

customElements.define("level-meter", LevelMeter);
