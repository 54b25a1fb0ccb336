/** Times above the waveforms. */

import { h } from "./dom.js";
import { clock } from "./format.js";

/** Steps that people count in, in seconds. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const MOST_TICKS = 8;

export class TimeRuler extends HTMLElement {
  #duration = 0;

  connectedCallback() {
    this.setAttribute("aria-hidden", "true");
  }

  /** @param {number} duration in seconds */
  render(duration) {
    if (duration === this.#duration) return;
    this.#duration = duration;
    const step = STEPS.find((each) => duration / each <= MOST_TICKS) ?? STEPS[STEPS.length - 1];
    const ticks = [];
    for (let at = 0; at < duration; at += step) {
      const tick = h("span", {}, clock(at));
      tick.style.setProperty("--at", String(at / duration));
      ticks.push(tick);
    }
    this.replaceChildren(...ticks);
  }
}

customElements.define("time-ruler", TimeRuler);
