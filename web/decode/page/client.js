/** Decodes a song's file into the storage, in a worker of its own. */

import { serve, Transferred, WorkerClient } from "../../base/messages.js";
import { DECODE, PAGE_DECODER } from "../protocol.js";
import { decodeWhole } from "./whole-file.js";

/** @typedef {import("../protocol.js").Calls} Calls */
/** @typedef {import("../../library/songs.js").DecodedSong} DecodedSong */
/** @typedef {import("../protocol.js").Events} Events */
/** @typedef {import("../protocol.js").PageCalls} PageCalls */

/**
 * Aborting the signal terminates the worker: the browser's decoders cannot be interrupted.
 * @param {Blob} file
 * @param {string} name of the song
 * @param {string | null} folder of the song in the storage, where files can be written; null keeps its samples in memory
 * @param {AbortSignal} signal
 * @param {(fraction: number) => void} report progress
 * @returns {Promise<DecodedSong>}
 * @throws {DemixError} `audio/…` or `storage/quota`; or the signal's reason
 */
export async function decodeSong(file, name, folder, signal, report) {
  signal.throwIfAborted();
  const worker = new Worker(new URL("../worker/main.js", import.meta.url), {
    type: "module",
    name: "decode",
  });
  /** @type {WorkerClient<Calls, Events>} */
  const client = new WorkerClient(worker, DECODE, {
    onEvent: (_, { fraction }) => report(fraction),
    crash: "audio/unreadable",
  });
  serve(worker, PAGE_DECODER, () => {
    /** @type {import("../../base/messages.js").Handlers<PageCalls>} */
    const handlers = {
      "file.decode": async ({ file: whole, rate }) => {
        const decoded = await decodeWhole(whole, rate);
        return new Transferred(
          decoded,
          decoded.channels.map(({ buffer }) => buffer),
        );
      },
    };
    return handlers;
  });
  try {
    return await client.call("song.decode", { file, name, folder }, { signal });
  } finally {
    client.end();
  }
}

/**
 * The tags of files, in a worker of its own.
 * @param {File[]} files
 * @returns {Promise<import("../../library/tags.js").Tags[]>}
 */
export async function readTags(files) {
  const worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module", name: "tags" });
  /** @type {WorkerClient<Calls, Events>} */
  const client = new WorkerClient(worker, DECODE, {
    onEvent: () => {},
    crash: "audio/unreadable",
  });
  try {
    return await client.call("tags.read", { files });
  } finally {
    client.end();
  }
}
