/** Measured quality of the models: the build's extract of `docs/quality`. */

import { siteUrl } from "../base/site.js";

/** @typedef {{ model: string, preset: string, sdr: Record<string, number | null> }} QualityRow SDR in dB by stem */
/** @typedef {{ song: string, seconds: number, rows: QualityRow[] }} SongQuality */

/** @returns {Promise<SongQuality[]>} */
export async function loadQuality() {
  const response = await fetch(siteUrl("quality.json"));
  if (!response.ok) throw new Error(`The table of quality: HTTP status ${response.status}`);
  return response.json();
}
