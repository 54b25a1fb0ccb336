/** From a file to samples, at the file's own rate and with its own channels. */

import { ALL_FORMATS, AudioSampleSink, BlobSource, Input, MP3 } from "../vendor/mediabunny/mediabunny.mjs";
import { MediaError } from "./media-error.js";
import { mp3Padding } from "./mp3-padding.js";
import { SampleBuffer } from "./sample-buffer.js";

/** @typedef {import("../engine/protocol.js").Pcm} Pcm */

/** Work on the page's thread is cut into slices of this length. */
const SLICE_MS = 30;

/** For `decodeAudioData`, which must be told a rate, where the file's own cannot be read. */
const USUAL_RATE = 44_100;

/**
 * Decodes the first audio track of a file.
 * @param {Blob} file
 * @param {(fraction: number) => void} progress
 * @returns {Promise<Pcm>}
 * @throws {MediaError} `audio/unreadable`, `audio/unsupported` or `audio/empty`
 */
export async function decode(file, progress) {
  if (file.size === 0) throw new MediaError("audio/empty", "The file has no bytes.");
  const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
  try {
    const track = await firstAudioTrack(input);
    const pcm = (await track?.canDecode())
      ? await stream(/** @type {InputAudioTrack} */ (track), await paddingOf(file, input), progress)
      : await decodeWhole(file, track);
    if (!pcm.channels[0]?.length) throw new MediaError("audio/empty", "The file has no audio samples.");
    return pcm;
  } catch (error) {
    if (error instanceof MediaError) throw error;
    throw new MediaError("audio/unreadable", `The file cannot be decoded: ${error}`);
  } finally {
    input.dispose();
  }
}

/** @typedef {import("../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */

/**
 * @param {Input} input
 * @returns {Promise<InputAudioTrack | null>} nothing where the container is unknown
 */
async function firstAudioTrack(input) {
  if (!(await input.canRead())) return null;
  const [track] = await input.getAudioTracks();
  if (!track) throw new MediaError("audio/empty", "The file has no audio track.");
  return track;
}

/** Samples before and after the song that are the encoder's. @param {Blob} file @param {Input} input */
async function paddingOf(file, input) {
  return (await input.getFormat()) === MP3 ? mp3Padding(file) : { before: 0, after: 0 };
}

/**
 * @param {InputAudioTrack} track
 * @param {{ before: number, after: number }} padding
 * @param {(fraction: number) => void} progress
 * @returns {Promise<Pcm>}
 */
async function stream(track, { before, after }, progress) {
  const duration = (await track.getDurationFromMetadata()) ?? 0;
  /** @type {SampleBuffer | null} */
  let buffer = null;
  let rate = 0;
  let sliceEnd = performance.now() + SLICE_MS;
  for await (const sample of new AudioSampleSink(track).samples()) {
    rate ||= sample.sampleRate;
    buffer ??= new SampleBuffer(sample.numberOfChannels, Math.ceil(duration * rate));
    // What lies before time zero is the encoder's run-in, not music.
    const runIn = Math.min(Math.max(0, Math.round(-sample.timestamp * rate)), sample.numberOfFrames);
    buffer.append(sample.numberOfFrames - runIn, (destination, planeIndex) => {
      sample.copyTo(destination, { planeIndex, format: "f32-planar", frameOffset: runIn });
    });
    sample.close();
    if (performance.now() > sliceEnd) {
      progress(duration ? Math.min(1, buffer.length / (duration * rate)) : 0);
      await new Promise((resolve) => setTimeout(resolve));
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  return { rate, channels: buffer?.finish(before, after) ?? [] };
}

/**
 * The browser's own decoder, for containers and codecs that cannot be streamed.
 * @param {Blob} file
 * @param {InputAudioTrack | null} track
 * @returns {Promise<Pcm>}
 */
async function decodeWhole(file, track) {
  const rate = (await track?.getSampleRate()) ?? USUAL_RATE;
  const context = new OfflineAudioContext(1, 1, rate);
  /** @type {AudioBuffer} */
  let audio;
  try {
    audio = await context.decodeAudioData(await file.arrayBuffer());
  } catch (error) {
    if (track)
      throw new MediaError("audio/unsupported", `No decoder for ${await track.getCodec()}: ${error}`);
    throw new MediaError("audio/unreadable", `Not an audio file that this browser knows: ${error}`);
  }
  const buffer = new SampleBuffer(audio.numberOfChannels, audio.length);
  buffer.append(audio.length, (destination, channel) => destination.set(audio.getChannelData(channel)));
  return { rate: audio.sampleRate, channels: buffer.finish() };
}
