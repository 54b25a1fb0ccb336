/** What the export dialog and the desk say alike of an export. */

import { gain, percent, span } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {NonNullable<ExportState["writing"]>} Writing */
/** @typedef {NonNullable<ExportState["written"]>} Written */

/** @param {string} part a stem, or `mix` */
export function partLabel(part) {
  return part === "mix" ? t("export.part.mix") : t(`stem.${part}`);
}

/** @param {number} value in dB */
export function residualText(value) {
  return Number.isFinite(value) ? gain(value) : t("export.residual-none");
}

/** @param {Writing} writing */
export function progressText(writing) {
  return [percent(writing.fraction), leftText(writing)].filter(Boolean).join(" · ");
}

/** @param {Written} written */
export function savedText({ name, clipped }) {
  const saved = t("export.saved", { file: name });
  return clipped ? `${saved} ${t("export.clipped", { count: clipped })}` : saved;
}

/** @param {ExportState["error"]} error */
export function failureText(error) {
  return error ? `${t("export.failed")} ${t(`error.${error.code}.hint`)} (${error.code})` : "";
}

/** @param {HTMLElement} bar @param {Writing} writing */
export function drawBar(bar, writing) {
  const { name, fraction } = writing;
  bar.setAttribute("aria-label", t("export.progress", { file: name }));
  bar.setAttribute("aria-valuenow", (100 * fraction).toFixed(1));
  bar.setAttribute("aria-valuetext", [percent(fraction), leftText(writing)].filter(Boolean).join(", "));
  bar.style.setProperty("--fraction", String(fraction));
}

/** @param {Writing} writing */
function leftText({ secondsLeft }) {
  return secondsLeft === null ? "" : t("job.left", { time: span(secondsLeft) });
}
