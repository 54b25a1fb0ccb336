/** What a model says of itself: in the page's language where there is a text, else as its description has it. */

import { t } from "./i18n.js";

/** @typedef {import("../engine/protocol.js").Model} Model */

/** @param {Model} model */
export function modelLabel({ id, label }) {
  return t(`model.${id}.label`, {}, label);
}

/** @param {Model} model */
export function modelSummary({ id, summary }) {
  return t(`model.${id}.summary`, {}, summary);
}

/** @param {string} id @param {string} notice of the licence */
export function modelNotice(id, notice) {
  return t(`model.${id}.notice`, {}, notice);
}
