/** Decodes a song's file into the storage, in a worker of its own. */

import { DemixError } from "../../base/errors.js";
import { serve, Transferred, WorkerClient } from "../../base/messages.js";
import { Watchdog } from "../../base/watchdog.js";
import { DECODE, PAGE_DECODER } from "../protocol.js";
import { decodeWhole } from "./whole-file.js";

/** @typedef {import("../protocol.js").Calls} Calls */
/** @typedef {import("../../library/songs.js").DecodedSong} DecodedSong */
/** @typedef {import("../protocol.js").Events} Events */
/** @typedef {import("../protocol.js").PageCalls} PageCalls */

/** Milliseconds without a turn of the worker's event loop, after which a damaged file has got it stuck. */
const STUCK_MS = 30_000;

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
  const { worker, client, end } = start("decode", report);
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
    end();
  }
}

/**
 * The tags of files, in a worker of its own.
 * @param {File[]} files
 * @returns {Promise<import("../../library/tags.js").Tags[]>}
 */
export async function readTags(files) {
  const { client, end } = start("tags");
  try {
    return await client.call("tags.read", { files });
  } finally {
    end();
  }
}

/**
 * Starts a worker, and fails its requests when it is stuck.
 * @param {string} name
 * @param {(fraction: number) => void} [report] progress
 */
function start(name, report = () => {}) {
  const worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module", name });
  const watchdog = new Watchdog(STUCK_MS, () =>
    client.end(
      new DemixError("audio/unreadable", "The file is damaged, and reading it does not come to an end."),
    ),
  );
  /** @type {WorkerClient<Calls, Events>} */
  const client = new WorkerClient(worker, DECODE, {
    onEvent: (type, data) => {
      watchdog.start(0); // it has loaded
      watchdog.reset();
      if (type === "decode.progress") report(data.fraction);
    },
    crash: "audio/unreadable",
  });
  const end = () => {
    watchdog.stop();
    client.end();
  };
  return { worker, client, end };
}
