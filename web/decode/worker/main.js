/**
 * Reads one song from its file into the storage, off the page's thread; the page ends the worker to cancel.
 */

import { DemixError, messageOf } from "../../base/errors.js";
import { SongWriter } from "../../library/song-writer.js";
import { decode } from "./decode.js";
import { readTags } from "./tags.js";

/** @typedef {import("../page/client.js").FromReader} FromReader */
/** @typedef {import("../page/client.js").ToReader} ToReader */
/** @typedef {import("../page/client.js").Planar} Planar */

/** The DOM's types take every script for a page's. */
const port = /** @type {Pick<Worker, "postMessage" | "addEventListener">} */ (/** @type {unknown} */ (self));

/** What the page was asked to decode. @type {{ resolve: (decoded: Planar) => void, reject: (error: DemixError) => void }} */
let elsewhere;

port.addEventListener("message", async ({ data }) => {
  /** @type {ToReader} */
  const message = data;
  if (message.type === "decoded") return elsewhere.resolve(message.decoded);
  if (message.type === "refused") return elsewhere.reject(DemixError.from(message.error));
  try {
    post({ type: "done", ...(await read(message)) });
  } catch (error) {
    post({ type: "failed", error: typed(error).toData() });
  }
});

/** @param {Extract<ToReader, { type: "read" }>} order */
async function read({ file, name, folder }) {
  const writer = await SongWriter.open(folder);
  for await (const block of decode(file, decodeElsewhere)) {
    await writer.write(block);
    post({ type: "progress", fraction: block.fraction });
  }
  return writer.finish(name, await readTags(file));
}

/**
 * What only the page's `decodeAudioData` can read.
 * @param {Blob} _file which the page has
 * @param {number} rate
 * @returns {Promise<Planar>}
 */
function decodeElsewhere(_file, rate) {
  return new Promise((resolve, reject) => {
    elsewhere = { resolve, reject };
    post({ type: "decode", rate });
  });
}

/** @param {FromReader} message */
function post(message) {
  port.postMessage(message);
}

/** @param {unknown} error */
function typed(error) {
  if (error instanceof DemixError || error instanceof DemixError) return error;
  return new DemixError("audio/unreadable", `The file cannot be read: ${messageOf(error)}`);
}
