/** How loud something is at the moment: a bar that jumps up and falls back. For the eye alone. */

import { h } from "./dom.js";

/** What the bar's foot stands for. */
const QUIETEST_DB = -48;

/** How fast the bar falls. */
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

  /** @param {number} peak highest sample of the last moment */
  set peak(peak) {
    this.#raise(20 * Math.log10(peak));
  }

  /** Up to a level at once, or down towards it. @param {number} level in dB */
  #raise(level) {
    const now = performance.now() / 1000;
    const fallen = this.#shown - (now - this.#since) * FALL_DB_PER_SECOND;
    const shown = Math.max(level, fallen, QUIETEST_DB);
    this.#since = now;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#bar.style.setProperty("--level", String(Math.min(1, 1 - shown / QUIETEST_DB)));
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#raise(QUIETEST_DB); // falls on although nothing more is heard
    });
  }
}

customElements.define("level-meter", LevelMeter);
