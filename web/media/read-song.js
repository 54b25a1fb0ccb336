/** From a file to a song in the storage, in a worker of its own: long songs never stand in memory whole. */

import { decodeWhole } from "./decode-whole.js";
import { MediaError } from "./media-error.js";

/** @typedef {import("../engine/protocol.js").ErrorData} ErrorData */
/** @typedef {import("../library/pieces.js").Piece} Piece */

/** @typedef {{ rate: number, channels: Float32Array<ArrayBuffer>[] }} Planar */
/** @typedef {import("../library/library.js").KeptTrack} KeptTrack */
/** @typedef {import("../library/library.js").SongMeasures} SongMeasures */
/** @typedef {import("../library/library.js").Tags} Tags */
/** @typedef {SongMeasures & KeptTrack & { tags: Tags }} ReadSong */
/** @typedef {{ type: "read", file: Blob, name: string, folder: string | null }
 *   | { type: "decoded", decoded: Planar }
 *   | { type: "refused", error: ErrorData }} ToReader */
/** @typedef {{ type: "progress", fraction: number }
 *   | { type: "decode", rate: number }
 *   | { type: "done" } & ReadSong
 *   | { type: "failed", error: ErrorData }} FromReader */

/**
 * @param {Blob} file
 * @param {string} name of the song
 * @param {string | null} folder where it is kept; in memory if there is none
 * @param {AbortSignal} signal
 * @param {(fraction: number) => void} progress
 * @returns {Promise<ReadSong>}
 * @throws {MediaError} `audio/…` or `storage/quota`; or the signal's reason
 */
export async function readSong(file, name, folder, signal, progress) {
  const worker = new Worker(new URL("./reader-worker.js", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        const cause = event.message ?? "its reader could not be loaded.";
        reject(new MediaError("audio/unreadable", `The file could not be read: ${cause}`));
      });
      worker.addEventListener("message", async ({ data }) => {
        /** @type {FromReader} */
        const message = data;
        if (message.type === "progress") progress(message.fraction);
        else if (message.type === "done") resolve(message);
        else if (message.type === "failed") reject(MediaError.from(message.error));
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
    post(worker, { type: "refused", error: /** @type {MediaError} */ (error).toData() });
  }
}

/** @param {Worker} worker @param {ToReader} message @param {Transferable[]} [transfer] */
function post(worker, message, transfer = []) {
  worker.postMessage(message, transfer);
}
