/** From a file to samples, at the file's own rate and with its own channels. */

import { ALL_FORMATS, AudioSampleSink, BlobSource, Input, MP3 } from "../vendor/mediabunny/mediabunny.mjs";
import { MediaError } from "./media-error.js";
import { mp3Padding } from "./mp3-padding.js";

/** @typedef {{ rate: number, channels: Float32Array<ArrayBuffer>[], fraction: number }} Block */
/** @typedef {(file: Blob, rate: number | null) => Promise<import("./read-song.js").Planar>} Whole */

/**
 * Decodes the first audio track of a file.
 * @param {Blob} file
 * @param {Whole} whole
 * @returns {AsyncGenerator<Block>}
 */
export async function* decode(file, whole) {
  if (file.size === 0) throw new MediaError("audio/empty", "The file has no bytes.");
  const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
  try {
    const tracks = (await input.canRead()) ? await input.getAudioTracks() : null;
    if (tracks && !tracks.length) throw new MediaError("audio/empty", "The file has no audio track.");
    const track = tracks?.[0];
    if (!(await track?.canDecode())) {
      yield { ...(await whole(file, (await track?.getSampleRate()) ?? null)), fraction: 1 };
      return;
    }
    const { before, after } =
      (await input.getFormat()) === MP3 ? await mp3Padding(file) : { before: 0, after: 0 };
    void before;
    void after;
    const duration = (await track?.getDurationFromMetadata()) ?? 0;
    for await (const sample of new AudioSampleSink(/** @type {any} */ (track)).samples()) {
      const channels = Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
        const plane = new Float32Array(sample.numberOfFrames);
        sample.copyTo(plane, { planeIndex, format: "f32-planar" });
        return plane;
      });
      const { sampleRate: rate, timestamp } = sample;
      sample.close();
      yield { rate, channels, fraction: duration ? Math.min(1, timestamp / duration) : 0 };
    }
  } finally {
    input.dispose();
  }
}
