/** The models that this site offers, their measured quality, and the catalogue of stems. */

import { DemixError, messageOf } from "../base/errors.js";
import { siteUrl } from "../base/site.js";

/** @typedef {import("../library/model-store.js").Model} Model */

const MANIFEST = siteUrl("models/manifest.json");

/**
 * The twin of `demixer.catalogue.Stem`; `fallback` names the broader stem that this one is part of.
 * @typedef {{ label: string, colour: string, icon: string, fallback: string | null }} StemInfo
 */

/** @typedef {{ model: string, preset: string, sdr: Record<string, number | null> }} QualityRow SDR in dB by stem */
/** @typedef {{ song: string, seconds: number, rows: QualityRow[] }} SongQuality */

/** Stems by name. @typedef {Record<string, StemInfo>} Catalogue */

/**
 * @returns {Promise<{ models: Model[], catalogue: Catalogue }>} models with the most work first
 * @throws {DemixError} `model/network`
 */
export async function loadModels() {
  const { models, stems } = await loadManifest();
  return {
    models: models.sort((one, other) => other.gflop_per_second - one.gflop_per_second),
    catalogue: stems,
  };
}

/** @returns {Promise<{ models: Model[], stems: Catalogue }>} */
async function loadManifest() {
  try {
    const response = await fetch(MANIFEST);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return await response.json();
  } catch (reason) {
    throw new DemixError(
      "model/network",
      `The list of models could not be downloaded: ${messageOf(reason)}.`,
    );
  }
}

/** The build's extract of `docs/quality`. @returns {Promise<SongQuality[]>} */
export async function loadQuality() {
  const response = await fetch(siteUrl("quality.json"));
  if (!response.ok) throw new Error(`The table of quality: HTTP status ${response.status}`);
  return response.json();
}

/**
 * @param {Catalogue} catalogue
 * @param {string} stem
 * @returns {StemInfo} plain looks for a stem that is not in the catalogue
 */
export function stemInfo(catalogue, stem) {
  return catalogue[stem] ?? { label: stem, colour: "#7F838B", icon: "music", fallback: null };
}

/** @param {import("../library/model-store.js").Artifact} artifact */
export const modelUrl = ({ path }) => new URL(path, MANIFEST);
