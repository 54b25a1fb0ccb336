/** A slider for a level in dB, with the travel of a fader; a double click brings it back to 0 dB. */

import { FADER, faderStep, SILENT_DB } from "../playback/page/gains.js";
import { h, setText } from "./dom.js";
import { gain } from "./format.js";
import { t } from "./i18n.js";

export class Fader {
  input = h("input", { type: "range", class: "fader", min: 0, max: FADER.length - 1, step: 1 });
  output = h("span", { class: "decibel", "aria-hidden": "true" });

  /**
   * @param {string} name
   * @param {(decibel: number) => void} change
   */
  constructor(name, change) {
    this.input.setAttribute("aria-label", name);
    this.input.title = name;
    this.input.style.setProperty("--unity", String(faderStep(0) / (FADER.length - 1)));
    this.input.addEventListener("input", () => change(FADER[this.input.valueAsNumber]));
    this.input.addEventListener("dblclick", () => change(0));
  }

  /** @param {number} decibel */
  render(decibel) {
    const text = decibel <= SILENT_DB ? t("strip.silent") : gain(decibel);
    this.input.value = String(faderStep(decibel));
    this.input.setAttribute("aria-valuetext", text);
    setText(this.output, text);
  }
}
