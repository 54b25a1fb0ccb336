/** The label and icon of a stem. */

import { icon } from "./dom.js";
import { t } from "./i18n.js";

/** @type {Record<string, string>} */
const ICONS = {
  vocals: "mic-vocal",
  drums: "drum",
  bass: "guitar",
  other: "piano",
  accompaniment: "audio-lines",
  harmonic: "waves",
  percussive: "drum",
};

/** @param {string} stem */
export function stemLabel(stem) {
  return t(`stem.${stem}`);
}

/** @param {string} part a stem, or `mix` */
export function partLabel(part) {
  return part === "mix" ? t("export.part.mix") : stemLabel(part);
}

/** @param {string} stem */
export function stemIcon(stem) {
  return icon(ICONS[stem] ?? "music");
}
