/** The browser's own decoder, for containers and codecs that cannot be streamed. It exists on pages only. */

import { MediaError } from "./media-error.js";

/** For `decodeAudioData`, which must be told a rate, where the file's own cannot be read. */
const USUAL_RATE = 44_100;

/**
 * @param {Blob} file
 * @param {number | null} rate of the file in Hz, if it is known
 * @returns {Promise<import("./read-song.js").Planar>}
 */
export async function decodeWhole(file, rate) {
  const context = new OfflineAudioContext(1, 1, rate ?? USUAL_RATE);
  try {
    const audio = await context.decodeAudioData(await file.arrayBuffer());
    const channels = Array.from({ length: audio.numberOfChannels }, (_, channel) =>
      audio.getChannelData(channel),
    );
    return { rate: audio.sampleRate, channels };
  } catch (error) {
    throw new MediaError("audio/unreadable", `Not an audio file that this browser knows: ${error}`);
  }
}
