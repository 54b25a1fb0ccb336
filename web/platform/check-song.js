/** The song of the device check, and its stems as the build has separated them. */

import { DemixError } from "../base/errors.js";
import { siteUrl } from "../base/site.js";

/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {{ name: string, audio: StoredAudio }} Reference */

/**
 * Index of the check's files, as `demixer_build.device_check` writes it.
 * @typedef {object} Index
 * @property {number} rate in Hz
 * @property {number} channels
 * @property {number} length in samples
 * @property {string} preset of the stems
 * @property {string} song file of interleaved float32 samples
 * @property {Record<string, Record<string, string>>} references files by model and precision; each holds all stems in turn
 */

const FOLDER = siteUrl("check/");

/** @returns {Promise<{ index: Index, song: StoredAudio }>} */
export async function loadCheckSong() {
  const index = await (await ask("check.json")).json();
  const [song] = await audio(index, index.song);
  return { index, song };
}

/**
 * @param {Index} index
 * @param {import("../library/model-store.js").Model} model
 * @param {string} precision of the separation to compare
 * @returns {Promise<Reference[]>}
 */
export async function loadReferences(index, { id, stems }, precision) {
  const files = index.references[id];
  // A GPU's own precisions are compared with the exact one.
  const tracks = await audio(index, precision === "default" ? files.default : files.fp32);
  return stems.map((name, at) => ({ name, audio: tracks[at] }));
}

/**
 * Fetches the files of a device check, so that the service worker keeps them.
 * @param {import("../library/model-store.js").Model} model
 * @param {string} precision
 */
export async function fetchCheck(model, precision) {
  const { index } = await loadCheckSong();
  if (model.id in index.references) await loadReferences(index, model, precision);
}

/** @param {Index} index @param {string} file @returns {Promise<StoredAudio[]>} tracks of the file */
async function audio({ rate, channels, length }, file) {
  const whole = await (await ask(file)).blob();
  const bytes = length * channels * Float32Array.BYTES_PER_ELEMENT;
  return Array.from({ length: whole.size / bytes }, (_, track) => {
    const blob = whole.slice(track * bytes, (track + 1) * bytes);
    return { rate, channels, length, folder: null, pieces: [{ start: 0, length, blob }] };
  });
}

/** @param {string} name */
async function ask(name) {
  const response = await fetch(new URL(name, FOLDER)).catch(() => null);
  if (response?.ok) return response;
  throw new DemixError("model/network", "The song that this device is checked with could not be fetched.");
}
