/** The measured peak and null test of an export, and the option to prevent clipping. Emits `input`. */

import { loweringFor } from "../app/export-plan.js";
import { h, icon, setText } from "./dom.js";
import { decibels, percent } from "./format.js";
import { t } from "./i18n.js";
import { nullTestText } from "./texts.js";

/** @typedef {import("../export/protocol.js").MixMeasurement} MixMeasurement */

export class ExportMeasurement extends HTMLElement {
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

  /** True when the user chose to lower the gain to prevent clipping. */
  get lower() {
    return this.#lower.checked && !this.#warning.hidden;
  }

  /** @param {{ measurement: MixMeasurement | null, measured: number, peak: number | null, clips: boolean }} view */
  render({ measurement, measured, peak, clips }) {
    const waiting = t("export.measuring", { percent: percent(measured) });
    const lowering = peak === null ? 0 : loweringFor(peak);
    const decibel = peak === null ? 0 : 20 * Math.log10(peak);
    setText(this.#peak, peak === null ? waiting : peakText(decibel));
    setText(this.#residual, measurement ? nullTestText(measurement.residual) : waiting);
    this.#warning.hidden = !clips || lowering === 0;
    setText(this.#text, t("export.clips", { excess: decibels(decibel) }));
    setText(this.#lowerText, t("export.lower", { gain: decibels(-lowering) }));
  }
}

/** @param {number} decibel */
function peakText(decibel) {
  return Number.isFinite(decibel) ? decibels(decibel) : t("strip.silent");
}

customElements.define("export-measurement", ExportMeasurement);
