/** The decode worker's entry: decodes one song into the storage, off the page's thread. */

import { DemixError } from "../../base/errors.js";
import { Caller, parentPort, serve } from "../../base/messages.js";
import { watchRequests } from "../../base/requests.js";
import { SongWriter } from "../../library/song-writer.js";
import { DECODE, PAGE_DECODER } from "../protocol.js";
import { decode } from "./decode.js";
import { readTags } from "./tags.js";

/** @typedef {import("../../base/messages.js").Emit<import("../protocol.js").Events>} Emit */
/** @typedef {import("../../base/messages.js").Handlers<import("../protocol.js").Calls>} Handlers */

/** @type {Caller<import("../protocol.js").PageCalls>} */
const page = new Caller(parentPort, PAGE_DECODER);

const ALIVE_MS = 1000;

serve(parentPort, DECODE, (/** @type {Emit} */ emit) => {
  watchRequests((urls) => emit("requests", { urls }));
  setInterval(() => emit("alive", {}), ALIVE_MS);
  /** @type {Handlers} */
  const handlers = {
    "tags.read": async ({ files }) => {
      const tags = [];
      for (const file of files) tags.push(await readTags(file));
      return tags;
    },
    "song.decode": async ({ file, name, folder }, signal) => {
      try {
        const writer = await SongWriter.open(folder);
        /** @type {import("./decode.js").DecodeWhole} */
        const decodeWhole = (whole, rate) => page.call("file.decode", { file: whole, rate }, { signal });
        /** @type {import("../../library/songs.js").Loss | null} */
        let loss = null;
        const reportLoss = (/** @type {import("../../library/songs.js").Loss} */ reported) => {
          loss = reported;
        };
        for await (const block of decode(file, decodeWhole, reportLoss)) {
          signal.throwIfAborted();
          await writer.write(block);
          emit("decode.progress", { fraction: block.fraction });
        }
        const tags = await readTags(file);
        await assertUnchanged(file); // the end of a file that went away looks like one that was cut off
        return await writer.finish(name, tags, loss);
      } catch (error) {
        await assertUnchanged(file);
        throw DemixError.wrap(error, "audio/unreadable");
      }
    },
  };
  return handlers;
});

/**
 * Browsers refuse to read a file that is no longer as it was when it was chosen.
 * @param {Blob} file
 * @throws {DemixError} `audio/changed`
 */
async function assertUnchanged(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new DemixError("audio/changed", "The browser can no longer read the file.");
  }
}
