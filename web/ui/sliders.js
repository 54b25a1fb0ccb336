/** The sliders of the desk, which a finger moves only sideways; a double click resets a fader or a pan. */

import { FADER, faderStep, SILENT_DB } from "../playback/page/gains.js";
import { h, setText } from "./dom.js";
import { decibels, percent } from "./format.js";
import { t } from "./i18n.js";

/** Steps of the pan from the centre to one side. */
const PAN_STEPS = 20;

/** A shorter movement of a finger is a tap. */
const SLIP_PX = 4;

/**
 * Calls back when a horizontal slider has been moved. A finger moves it by a tap or sideways; when the finger scrolls the
 * page instead, the slider returns to where it was.
 * @param {HTMLInputElement} input
 * @param {() => void} change
 */
export function onSlide(input, change) {
  /**
   * Until the finger has shown which it does.
   * @type {{ x: number, before: string, after: string | null } | null}
   */
  let touch = null;
  const decide = () => {
    const after = touch?.after ?? null;
    touch = null;
    if (after === null) return;
    input.value = after;
    change();
  };
  input.addEventListener("pointerdown", ({ pointerType, clientX }) => {
    touch = pointerType === "touch" ? { x: clientX, before: input.value, after: null } : null;
  });
  input.addEventListener("pointermove", ({ clientX }) => {
    if (touch && Math.abs(clientX - touch.x) > SLIP_PX) decide();
  });
  input.addEventListener("pointerup", decide);
  input.addEventListener("pointercancel", () => {
    if (touch) input.value = touch.before;
    touch = null;
  });
  input.addEventListener("input", () => {
    if (touch) touch.after = input.value;
    else change();
  });
}

/** A volume in dB, with the travel of a fader. */
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
    onSlide(this.input, () => change(FADER[this.input.valueAsNumber]));
    this.input.addEventListener("dblclick", () => change(0));
  }

  /** @param {number} decibel */
  render(decibel) {
    const text = decibel <= SILENT_DB ? t("strip.silent") : decibels(decibel);
    this.input.value = String(faderStep(decibel));
    this.input.setAttribute("aria-valuetext", text);
    setText(this.output, text);
  }
}

/** A pan from left to right. */
export class PanSlider {
  input = h("input", { type: "range", class: "pan", min: -PAN_STEPS, max: PAN_STEPS, step: 1 });
  output = h("span", { class: "pan-text", "aria-hidden": "true" });

  /** @param {(pan: number) => void} change */
  constructor(change) {
    this.input.setAttribute("aria-label", t("strip.pan"));
    this.input.title = t("strip.pan");
    onSlide(this.input, () => change(this.input.valueAsNumber / PAN_STEPS));
    this.input.addEventListener("dblclick", () => change(0));
  }

  /** @param {number} pan from -1 to 1 */
  render(pan) {
    const side = pan < 0 ? "left" : "right";
    const amount = percent(Math.abs(pan));
    const text = pan === 0 ? t("strip.pan.centre") : t(`strip.pan.${side}`, { amount });
    this.input.value = String(Math.round(pan * PAN_STEPS));
    this.input.setAttribute("aria-valuetext", text);
    const hundredths = Math.round(100 * Math.abs(pan));
    setText(this.output, pan === 0 ? t("strip.pan.c") : t(`strip.pan.short.${side}`, { amount: hundredths }));
  }
}
