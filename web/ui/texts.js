/** Sentences and labels that several elements share. */

import { approximateTime, decibels, percent } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {import("../engine/protocol.js").Fallback} Fallback */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {NonNullable<ExportState["writing"]>} Writing */
/** @typedef {NonNullable<ExportState["written"]>} Written */

/** @param {Model} model @returns {string} in the page's language, else from its description */
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

/** The title and artist that the file names. @param {import("../app/song.js").Song} song */
export function tagsText({ tags: { title, artist } }) {
  if (title && artist) return t("song.tags", { title, artist });
  return title ?? artist ?? "";
}

/** The device that failed, and the one that takes over. @param {Fallback} fallback */
export function fallbackText({ from, to, error }) {
  const device = t(`fallback.device.${from?.kind ?? "engine"}`);
  return `${t(`fallback.${error.code}`, { device })} ${t(`fallback.to.${nextStep(from, to)}`)}`;
}

/** @param {Fallback["from"]} from @param {Fallback["to"]} to */
function nextStep(from, to) {
  if (!from || !to) return "again";
  if (from.kind !== to.kind) return "processor";
  if (from.workers > 1 && to.workers === 1) return "one-worker";
  return from.threads === to.threads ? "again" : "one-thread";
}

/** @param {number} secondsLeft */
export function timeLeftText(secondsLeft) {
  return t("job.left", { time: approximateTime(secondsLeft) });
}

/** The sum of the stems minus the song. @param {number} value in dB, relative to the song */
export function nullTestText(value) {
  return Number.isFinite(value) ? decibels(value) : t("export.residual-none");
}

/** @param {Writing} writing @param {string} [separator] */
export function writingText({ fraction, secondsLeft }, separator = " · ") {
  const left = secondsLeft === null ? [] : [timeLeftText(secondsLeft)];
  return [percent(fraction), ...left].join(separator);
}

/** @param {Written} written */
export function savedText({ name, clipped }) {
  const saved = t("export.saved", { file: name });
  return clipped ? `${saved} ${t("export.clipped", { count: clipped })}` : saved;
}

/** Advice on an error: by its hint, else by its code. @param {import("../base/errors.js").ErrorData} error */
export function errorHint({ code, hint }) {
  return t(`error.${code}.hint.${hint}`, {}, t(`error.${code}.hint`));
}

/** @param {ExportState["error"]} error */
export function exportErrorText(error) {
  return error ? `${t("export.failed")} ${errorHint(error)} (${error.code})` : "";
}
