/** A slider from left to right; a double click brings it back to the centre. */

import { h, setText } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";

/** Steps to one side. */
const STEPS = 20;

export class PanSlider {
  input = h("input", { type: "range", class: "pan", min: -STEPS, max: STEPS, step: 1 });
  output = h("span", { class: "pan-text", "aria-hidden": "true" });

  /** @param {(pan: number) => void} change */
  constructor(change) {
    this.input.setAttribute("aria-label", t("strip.pan"));
    this.input.title = t("strip.pan");
    this.input.addEventListener("input", () => change(this.input.valueAsNumber / STEPS));
    this.input.addEventListener("dblclick", () => change(0));
  }

  /** @param {number} pan from -1 to 1 */
  render(pan) {
    const side = pan < 0 ? "left" : "right";
    const amount = percent(Math.abs(pan));
    this.input.value = String(Math.round(pan * STEPS));
    this.input.setAttribute(
      "aria-valuetext",
      pan === 0 ? t("strip.pan.centre") : t(`strip.pan.${side}`, { amount }),
    );
    const hundredths = Math.round(100 * Math.abs(pan));
    setText(this.output, pan === 0 ? t("strip.pan.c") : t(`strip.pan.short.${side}`, { amount: hundredths }));
  }
}
