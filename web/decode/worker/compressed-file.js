/** Streams compressed files: mediabunny demuxes the container, the browser decodes. */

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
import { gapsOf } from "./padding.js";
import { repair } from "./repair.js";
import { SongBlocks } from "./song-blocks.js";
import { unknownBlocks, wholeBlocks } from "./undecodable.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */
/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./decode.js").DecodeWhole} DecodeWhole */
/** @typedef {import("./padding.js").Gap} Gap */

/** Containers; no playlists (HLS), which would have to be fetched. */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, FLAC, MP3, ADTS, MPEG_TS];

/** Sample entries of MP4 files from shops and streaming services. */
const PROTECTED = ["drms", "drmi", "enca", "encv", "p608"];

/** Length of the end that may be broken in a truncated file. */
const TAIL_SECONDS = 1;

// Its warnings are irrelevant here or come as errors as well.
Logging.level = 0;

/**
 * @param {Blob} file
 * @param {DecodeWhole} decodeWhole for codecs that the browser does not stream
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError}
 */
export async function* compressedBlocks(file, decodeWhole) {
  const readable = await repair(file);
  const source = new BlobSource(readable);
  let read = 0;
  source.on("read", ({ end }) => {
    read = Math.max(read, end);
  });
  const input = new Input({ formats: FORMATS, source });
  try {
    if (!(await input.canRead())) {
      yield* unknownBlocks(file, decodeWhole);
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
      yield* wholeBlocks(await track.getSampleRate(), decodeWhole, codec ? String(codec) : "its codec");
    }
  } finally {
    input.dispose();
  }
}

/** @param {Input} input */
async function defaultTrack(input) {
  const tracks = await input.getAudioTracks();
  if ((await input.getTracks()).length === 0) {
    const message = "The file is truncated, and the tables that locate the song in it are lost.";
    throw new DemixError("audio/unreadable", message);
  }
  if (tracks.length === 0) throw new DemixError("audio/empty", "The file has no audio track.");
  const defaults = await Promise.all(tracks.map(async (track) => (await track.getDisposition()).default));
  const track = tracks[Math.max(0, defaults.indexOf(true))];
  if (!PROTECTED.includes(String(await track.getInternalCodecId()))) return track;
  throw new DemixError(
    "audio/unsupported",
    "The song is copy-protected: only its shop's player can decode it.",
    "protected",
  );
}

/**
 * @param {InputAudioTrack} track
 * @param {Gap[]} gaps
 * @param {(seconds: number) => number} fraction of the file, from the seconds decoded
 * @returns {AsyncGenerator<Block>}
 */
async function* trackBlocks(track, gaps, fraction) {
  let rate = 0;
  /** @type {SongBlocks | null} */
  let song = null;
  try {
    for await (const samples of new AudioSampleSink(track).samples()) {
      try {
        rate ||= samples.sampleRate;
        song ??= new SongBlocks(samples.numberOfChannels, rate, gaps);
        if (!song.matches(samples)) throw formatChange();
        for (const channels of song.add(samples)) {
          yield { rate, channels, fraction: fraction(song.seconds) };
        }
      } finally {
        samples.close();
      }
    }
  } catch (error) {
    // The last packets of a truncated file may be broken.
    if (error instanceof DemixError || !song || fraction(song.seconds + TAIL_SECONDS) < 1) throw error;
  }
  const channels = song?.flush() ?? [];
  if (channels[0]?.length) yield { rate, channels, fraction: 1 };
}

/**
 * @param {InputAudioTrack} track
 * @param {Gap[]} gaps
 * @returns {Promise<number | undefined>} in seconds; undefined when the file does not say
 */
async function durationOf(track, gaps) {
  const duration = await track.getDurationFromMetadata();
  return duration && duration > 0 ? duration : gaps.map(([start]) => start).findLast(Number.isFinite);
}

function formatChange() {
  const message = "The sample rate or the number of channels changes in the middle of the song.";
  return new DemixError("audio/unsupported", message);
}
