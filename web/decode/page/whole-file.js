/** The browser's decoder of whole files, which exists only on a page, for what cannot be streamed. */

import { DemixError } from "../../base/errors.js";

/** The file and all its samples lie in memory at once, so that this is about an hour of a lossless song. */
const MOST_BYTES = 1 << 28;

/**
 * @param {Blob} file
 * @param {number} rate in Hz, of the result
 * @returns {Promise<{ rate: number, channels: Float32Array<ArrayBuffer>[] }>} which may be transferred
 * @throws {DemixError} `audio/too-long`, or `audio/unreadable` where the browser cannot decode it either
 */
export async function decodeWhole(file, rate) {
  if (file.size > MOST_BYTES) {
    const limit = `${MOST_BYTES / (1 << 20)} MB`;
    const hint = "Convert the song to FLAC, WAV or MP3, which are read piece by piece.";
    throw new DemixError("audio/too-long", `A file of this kind must not be larger than ${limit}.`, hint);
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
