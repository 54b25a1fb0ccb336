/** From a file to a song in the storage, in a worker of its own: long songs never stand in memory whole. */

import { DemixError } from "../../base/errors.js";
import { decodeWhole } from "./whole-file.js";

/** @typedef {import("../../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../../library/pieces.js").Piece} Piece */

/** @typedef {{ rate: number, channels: Float32Array<ArrayBuffer>[] }} Planar */
/** @typedef {import("../../library/songs.js").StoredTrack} StoredTrack */
/** @typedef {import("../../library/songs.js").SongMeasures} SongMeasures */
/** @typedef {import("../../library/songs.js").Tags} Tags */
/** @typedef {SongMeasures & StoredTrack & { tags: Tags }} DecodedSong */
/** @typedef {{ type: "read", file: Blob, name: string, folder: string | null }
 *   | { type: "decoded", decoded: Planar }
 *   | { type: "refused", error: ErrorData }} ToReader */
/** @typedef {{ type: "progress", fraction: number }
 *   | { type: "decode", rate: number }
 *   | { type: "done" } & DecodedSong
 *   | { type: "failed", error: ErrorData }} FromReader */

/**
 * @param {Blob} file
 * @param {string} name of the song
 * @param {string | null} folder where it is kept; in memory if there is none
 * @param {AbortSignal} signal
 * @param {(fraction: number) => void} progress
 * @returns {Promise<DecodedSong>}
 * @throws {DemixError} `audio/…` or `storage/quota`; or the signal's reason
 */
export async function readSong(file, name, folder, signal, progress) {
  const worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        const cause = event.message ?? "its reader could not be loaded.";
        reject(new DemixError("audio/unreadable", `The file could not be read: ${cause}`));
      });
      worker.addEventListener("message", async ({ data }) => {
        /** @type {FromReader} */
        const message = data;
        if (message.type === "progress") progress(message.fraction);
        else if (message.type === "done") resolve(message);
        else if (message.type === "failed") reject(DemixError.from(message.error));
        else await handOver(worker, file, message.rate);
      });
      post(worker, { type: "read", file, name, folder });
    });
  } finally {
    worker.terminate();
  }
}

/** Decodes what the worker cannot. @param {Worker} worker @param {Blob} file @param {number} rate */
async function handOver(worker, file, rate) {
  try {
    const decoded = await decodeWhole(file, rate);
    const buffers = decoded.channels.map(({ buffer }) => buffer);
    post(worker, { type: "decoded", decoded }, buffers);
  } catch (error) {
    post(worker, { type: "refused", error: /** @type {DemixError} */ (error).toData() });
  }
}

/** @param {Worker} worker @param {ToReader} message @param {Transferable[]} [transfer] */
function post(worker, message, transfer = []) {
  worker.postMessage(message, transfer);
}
