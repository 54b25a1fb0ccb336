/** The looks of a stem: its label, icon and colour, from the catalogue. */

import { stemInfo } from "../platform/models.js";
import { icon } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../platform/models.js").Catalogue} Catalogue */

/** @param {string} stem @param {Catalogue} catalogue */
export function stemLabel(stem, catalogue) {
  return t(`stem.${stem}`, {}, stemInfo(catalogue, stem).label);
}

/** @param {string} part a stem, or `mix` @param {Catalogue} catalogue */
export function partLabel(part, catalogue) {
  return part === "mix" ? t("export.part.mix") : stemLabel(part, catalogue);
}

/** @param {string} stem @param {Catalogue} catalogue */
export function stemIcon(stem, catalogue) {
  return icon(stemInfo(catalogue, stem).icon);
}

/**
 * Gives an element and its content the colour of a stem, which the style sheets adapt to the theme as `--stem`.
 * @param {HTMLElement} element
 * @param {string} stem
 * @param {Catalogue} catalogue
 */
export function setStem(element, stem, catalogue) {
  element.dataset.stem = stem;
  element.style.setProperty("--stem-colour", stemInfo(catalogue, stem).colour);
}
