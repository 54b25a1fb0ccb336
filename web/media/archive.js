/** ZIP archives of stems, stored rather than compressed: noise-like samples do not shrink. */

import { downloadZip } from "../vendor/client-zip/client-zip.mjs";
import { wavPieces } from "./wav.js";

/** @typedef {import("./track.js").Track} Track */

/**
 * @param {string} folder name of the folder inside the archive
 * @param {Track[]} tracks finished
 * @param {number} rate in Hz
 * @param {(fraction: number) => void} progress
 * @returns {Promise<Blob>}
 */
export async function zipOfWavs(folder, tracks, rate, progress) {
  const files = tracks.map((track, index) => ({
    name: `${folder}/${track.name}.wav`,
    input: wavPieces(track, rate, (part) => progress((index + part) / tracks.length)),
    lastModified: new Date(),
  }));
  return downloadZip(files).blob();
}
