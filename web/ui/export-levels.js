/** What is measured before an export: the peak, whether it would clip, and the null test. */

import { loweringFor } from "../app/export-plan.js";
import { h, setText } from "./dom.js";
import { residualText } from "./export-texts.js";
import { gain, percent } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

/** @typedef {import("../export/protocol.js").MixMeasurement} MixMeasurement */

export class LevelReport extends HTMLElement {
  #peak = h("dd", {});
  #residual = h("dd", {});
  #warning = h("div", { class: "export-warning" });
  #text = h("p", {});
  #lower = h("input", { type: "checkbox" });
  #lowerText = h("span", {});

  connectedCallback() {
    this.#warning.append(icon("triangle-alert"), this.#text, h("label", {}, this.#lower, this.#lowerText));
    this.append(
      h(
        "dl",
        {},
        h("div", {}, h("dt", {}, t("export.peak")), this.#peak),
        h("div", { title: t("export.null-title") }, h("dt", {}, t("export.null")), this.#residual),
      ),
      this.#warning,
    );
  }

  /** Whether all is to be lowered. */
  get lower() {
    return this.#lower.checked && !this.#warning.hidden;
  }

  /** @param {{ measurement: MixMeasurement | null, measured: number, peak: number | null, clips: boolean }} view */
  render({ measurement, measured, peak, clips }) {
    const waiting = t("export.measuring", { percent: percent(measured) });
    const lowering = peak === null ? 0 : loweringFor(peak);
    const level = peak === null ? 0 : 20 * Math.log10(peak);
    setText(this.#peak, peak === null ? waiting : decibel(level));
    setText(this.#residual, measurement ? residualText(measurement.residual) : waiting);
    this.#warning.hidden = !clips || lowering === 0;
    setText(this.#text, t("export.clips", { excess: gain(level) }));
    setText(this.#lowerText, t("export.lower", { gain: gain(-lowering) }));
  }
}

/** @param {number} value */
function decibel(value) {
  return Number.isFinite(value) ? gain(value) : t("strip.silent");
}

customElements.define("export-levels", LevelReport);
