/** Reads compressed files piece by piece: mediabunny takes the container apart, the browser decodes. */

import { DemixError } from "../../base/errors.js";
import {
  ADTS,
  AudioSampleSink,
  BlobSource,
  FLAC,
  Input,
  Logging,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  WEBM,
} from "../../vendor/mediabunny/mediabunny.mjs";
import { mend } from "./repair.js";
import { SongBlocks } from "./song-blocks.js";
import { gapsOf } from "./song-span.js";
import { unknownBlocks, wholeBlocks } from "./undecodable.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */
/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./decode.js").Whole} Whole */
/** @typedef {import("./song-span.js").Gap} Gap */

/** No playlists (HLS), which would have to be fetched. */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, FLAC, MP3, ADTS, MPEG_TS];

/** Sample entries of MP4 files from shops and streaming services. */
const PROTECTED = ["drms", "drmi", "enca", "encv", "p608"];

/** How much of the end may be broken in a file that is cut off. */
const TAIL_SECONDS = 1;

// What it warns of either matters not to us or comes as an error.
Logging.level = 0;

/**
 * @param {Blob} file
 * @param {Whole} whole for what the browser's streaming decoders do not know
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError}
 */
export async function* compressedBlocks(file, whole) {
  const readable = await mend(file);
  const source = new BlobSource(readable);
  let read = 0;
  source.on("read", ({ end }) => {
    read = Math.max(read, end);
  });
  const input = new Input({ formats: FORMATS, source });
  try {
    if (!(await input.canRead())) {
      yield* unknownBlocks(file, whole);
      return;
    }
    const track = await defaultTrack(input);
    if (await track.canDecode()) {
      const gaps = await gapsOf(readable, input, track);
      const duration = await durationOf(track, gaps);
      const fraction = (/** @type {number} */ seconds) =>
        duration ? Math.min(1, seconds / duration) : read / readable.size;
      yield* trackBlocks(track, gaps, fraction);
    } else {
      const codec = (await track.getCodec()) ?? (await track.getInternalCodecId());
      yield* wholeBlocks(file, await track.getSampleRate(), whole, codec ? String(codec) : "its codec");
    }
  } finally {
    input.dispose();
  }
}

/** @param {Input} input */
async function defaultTrack(input) {
  const tracks = await input.getAudioTracks();
  if ((await input.getTracks()).length === 0) {
    const message = "The file is cut off, and what would tell where the song lies in it is lost.";
    throw new DemixError("audio/unreadable", message, "Download or copy it once more.");
  }
  if (tracks.length === 0) throw new DemixError("audio/empty", "The file has no audio track.");
  const wanted = await Promise.all(tracks.map(async (track) => (await track.getDisposition()).default));
  const track = tracks[Math.max(0, wanted.indexOf(true))];
  if (!PROTECTED.includes(String(await track.getInternalCodecId()))) return track;
  throw new DemixError(
    "audio/unsupported",
    "The song is protected against copying, so that nothing but its shop's player can decode it.",
    "Buy or download it without copy protection.",
  );
}

/**
 * @param {InputAudioTrack} track
 * @param {Gap[]} gaps
 * @param {(seconds: number) => number} fraction of the file that is decoded, by the time that is
 * @returns {AsyncGenerator<Block>}
 */
async function* trackBlocks(track, gaps, fraction) {
  let rate = 0;
  /** @type {SongBlocks | null} */
  let song = null;
  try {
    for await (const samples of new AudioSampleSink(track).samples()) {
      rate ||= samples.sampleRate;
      song ??= new SongBlocks(samples.numberOfChannels, rate, gaps);
      if (!song.isLike(samples)) throw changed();
      for (const channels of song.add(samples)) {
        yield { rate, channels, fraction: fraction(song.seconds) };
      }
      samples.close();
    }
  } catch (error) {
    // The last packets of a file that is cut off may be broken.
    if (error instanceof DemixError || !song || fraction(song.seconds + TAIL_SECONDS) < 1) throw error;
  }
  const channels = song?.rest() ?? [];
  if (channels[0]?.length) yield { rate, channels, fraction: 1 };
}

/**
 * @param {InputAudioTrack} track
 * @param {Gap[]} gaps
 * @returns {Promise<number | undefined>} in seconds, where it is told
 */
async function durationOf(track, gaps) {
  const told = await track.getDurationFromMetadata();
  return told && told > 0 ? told : gaps.map(([start]) => start).findLast(Number.isFinite);
}

function changed() {
  const message = "The sample rate or the number of channels changes in the middle of the song.";
  return new DemixError(
    "audio/unsupported",
    message,
    "Convert the song to WAV or FLAC, and choose that file.",
  );
}
