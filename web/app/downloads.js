/** What the buttons of the desk give: stems as they are, as 32-bit float WAV files. */

import { save } from "../export/page/save.js";
import { wavBlob } from "../export/page/wav.js";
import { planFor } from "./export-plan.js";
import { recallChoice } from "./export-preferences.js";
import { fileName } from "./file-names.js";

/** @typedef {import("../library/track.js").Track} Track */
/** @typedef {import("./song.js").Song} Song */

/** Its samples lie in the storage as a WAV file has them: nothing is read or copied. @param {Song} song @param {Track} stem */
export function downloadStem(song, stem) {
  if (!song.format) return;
  save(wavBlob(stem, song.format.rate), fileName(recallChoice().pattern, song, stem.name, "wav"));
}

/**
 * All of them in a ZIP.
 * @param {Song} song
 * @param {import("./export-plan.js").Label} label
 * @param {import("../platform/models.js").Catalogue} catalogue
 */
export function planForAll(song, label, catalogue) {
  const { pattern } = recallChoice();
  return planFor(
    song,
    { what: "all", stem: "", coding: { kind: "wav", bits: 32 }, pattern },
    0,
    label,
    catalogue,
  );
}
