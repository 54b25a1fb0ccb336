/** The short song that devices are checked with, and its stems as the build's machine has separated it. */

import { DemixError } from "../base/errors.js";
import { siteUrl } from "../base/site.js";

/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {{ name: string, audio: StoredAudio }} Reference */

/**
 * What `demixer_build.device_check` writes.
 * @typedef {object} Index
 * @property {number} rate in Hz
 * @property {number} channels
 * @property {number} length in samples
 * @property {string} preset that the stems were made with
 * @property {string} song file of interleaved float32
 * @property {Record<string, Record<string, string>>} references file by model and precision, its stems one after another
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
 * @param {import("../engine/protocol.js").Model} model
 * @param {string} precision that the device has computed with
 * @returns {Promise<Reference[]>} each stem as it should be
 */
export async function loadReferences(index, { id, stems }, precision) {
  const files = index.references[id];
  // A GPU's own graphs all stand for the exact one.
  const tracks = await audio(index, precision === "default" ? files.default : files.fp32);
  return stems.map((name, at) => ({ name, audio: tracks[at] }));
}

/**
 * Fetches the files of a device check, so that the service worker keeps them.
 * @param {import("../engine/protocol.js").Model} model
 * @param {string} precision
 */
export async function fetchCheck(model, precision) {
  const { index } = await loadCheckSong();
  if (model.id in index.references) await loadReferences(index, model, precision);
}

/** @param {Index} index @param {string} file @returns {Promise<StoredAudio[]>} its tracks */
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
