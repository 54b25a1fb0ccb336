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

  connectedCallback() {
    this.setAttribute("aria-hidden", "true");
    this.replaceChildren(this.#bar);
  }

  /** @param {number} peak highest sample of the last moment */
  set peak(peak) {
    const now = performance.now() / 1000;
    const fallen = this.#shown - (now - this.#since) * FALL_DB_PER_SECOND;
    const level = Math.max(20 * Math.log10(peak), fallen, QUIETEST_DB);
    this.#since = now;
    if (level === this.#shown) return;
    this.#shown = level;
    this.#bar.style.setProperty("--level", String(Math.min(1, 1 - level / QUIETEST_DB)));
  }
}

customElements.define("level-meter", LevelMeter);
