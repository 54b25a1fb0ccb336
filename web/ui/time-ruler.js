/** The time ruler above the waveforms. */

import { h } from "./dom.js";
import { clock, instant } from "./format.js";
import { placeIn } from "./visible-span.js";

/** @typedef {import("../app/desk.js").Span} Span */

/** Distances between ticks, in seconds. */
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

/** Least distance between ticks. */
const TICK_PX = 88;

/** Width of a time. */
const TEXT_PX = 48;

export class TimeRuler extends HTMLElement {
  /** @type {Span} */
  #view = { start: 0, stop: 0 };
  #observer = new ResizeObserver(() => this.#draw());

  connectedCallback() {
    this.setAttribute("aria-hidden", "true");
    this.#observer.observe(this);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  /** @param {Span} view in seconds */
  render(view) {
    if (view.start === this.#view.start && view.stop === this.#view.stop) return;
    this.#view = view;
    this.#draw();
  }

  #draw() {
    const { start, stop } = this.#view;
    const most = Math.max(2, Math.floor(this.clientWidth / TICK_PX));
    const step = STEPS.find((each) => (stop - start) / each <= most) ?? STEPS[STEPS.length - 1];
    const ticks = [];
    for (let count = Math.ceil(start / step); count * step < stop; count += 1) {
      const at = count * step;
      const place = placeIn(this.#view, at);
      const fits = (1 - place) * this.clientWidth > TEXT_PX;
      const text = step < 1 ? instant(at) : clock(at);
      const tick = h("span", {}, fits ? text : "");
      tick.style.setProperty("--at", String(place));
      ticks.push(tick);
    }
    this.replaceChildren(...ticks);
  }
}

customElements.define("time-ruler", TimeRuler);
