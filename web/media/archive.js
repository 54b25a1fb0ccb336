/** ZIP archives of stems, stored rather than compressed: noise-like samples do not shrink. */

import { downloadZip } from "../vendor/client-zip/client-zip.mjs";
import { wavBlob } from "./wav.js";

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
    input: counted(wavBlob(track, rate), (part) => progress((index + part) / tracks.length)),
    lastModified: new Date(),
  }));
  return downloadZip(files).blob();
}

/**
 * A blob as a stream that tells how far it is read.
 * @param {Blob} blob
 * @param {(fraction: number) => void} progress
 */
function counted(blob, progress) {
  let read = 0;
  const count = new TransformStream({
    transform(/** @type {Uint8Array} */ bytes, controller) {
      read += bytes.length;
      progress(read / blob.size);
      controller.enqueue(bytes);
    },
  });
  return blob.stream().pipeThrough(count);
}
