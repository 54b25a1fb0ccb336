/** Decodes files that cannot be streamed with `decodeAudioData`, which exists only on a page. */

import { DemixError } from "../../base/errors.js";

/** About an hour of a lossless song: the file and all its samples are in memory at once. */
const MAX_BYTES = 1 << 28;

/**
 * @param {Blob} file
 * @param {number} rate in Hz, of the result
 * @returns {Promise<import("../protocol.js").Planar>} in buffers that may be transferred
 * @throws {DemixError} `audio/too-long`, or `audio/unreadable` when the browser cannot decode the file
 */
export async function decodeWhole(file, rate) {
  if (file.size > MAX_BYTES) {
    const limit = `${MAX_BYTES / (1 << 20)} MB`;
    throw new DemixError("audio/too-long", `Files of this kind may have at most ${limit}.`, "format");
  }
  const bytes = await file.arrayBuffer();
  try {
    const audio = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
    const channels = Array.from({ length: audio.numberOfChannels }, (_, index) =>
      audio.getChannelData(index),
    );
    return { rate: audio.sampleRate, channels };
  } catch {
    throw new DemixError("audio/unreadable", "The browser cannot decode the file.");
  }
}
