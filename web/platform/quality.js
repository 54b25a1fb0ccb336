/** What the models were measured to reach: the build's extract of `docs/quality`. */

/** @typedef {{ model: string, preset: string, sdr: Record<string, number | null> }} QualityRow SDR in dB by stem */
/** @typedef {{ song: string, seconds: number, rows: QualityRow[] }} SongQuality */

/** @returns {Promise<SongQuality[]>} */
export async function loadQuality() {
  const response = await fetch(new URL("../quality.json", import.meta.url));
  if (!response.ok) throw new Error(`The table of quality: HTTP status ${response.status}`);
  return response.json();
}
