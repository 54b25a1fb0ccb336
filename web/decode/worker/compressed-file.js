/** Streams compressed files: mediabunny demuxes the container, the browser decodes. */

import { DemixError, describe } from "../../base/errors.js";
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
import { bareFile } from "./bare-file.js";
import "./flac-decoder.js";
import { links } from "./links.js";
import { lossOf, sumOf } from "./loss.js";
import { NO_PADDING, paddingOf } from "./padding.js";
import { formatChange, planarSamples, songBlocks, withoutStart } from "./song-blocks.js";
import { kindOf, undecodable, unknownBlocks } from "./undecodable.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */
/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").AudioSample} AudioSample */
/** @typedef {import("./decode.js").Block} Block */
/** @typedef {import("./decode.js").DecodeWhole} DecodeWhole */
/** @typedef {import("./links.js").Link} Link */
/** @typedef {import("./loss.js").Loss} Loss */
/** @typedef {import("./loss.js").ReportLoss} ReportLoss */
/** @typedef {import("./padding.js").Padding} Padding */

/** Containers; no playlists (HLS), which would have to be fetched. */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, FLAC, MP3, ADTS, MPEG_TS];

/** Sample entries of MP4 files from shops and streaming services. */
const PROTECTED = ["drms", "drmi", "enca", "encv", "p608"];

/** Length of the end for which no other decoder is asked. */
const TAIL_SECONDS = 1;

/** Of a decoder that will not answer any more. */
const SILENCE_MS = 10_000;

// Its warnings are irrelevant here or come as errors as well.
Logging.level = 0;

/**
 * @param {Blob} file
 * @param {DecodeWhole} decodeWhole for codecs that the browser does not stream
 * @param {ReportLoss} reportLoss called at most once, at the end
 * @returns {AsyncGenerator<Block>}
 * @throws {DemixError}
 */
export async function* compressedBlocks(file, decodeWhole, reportLoss) {
  const kind = await kindOf(file);
  const songs = kind ? [] : await links(file, await formatOf(file));
  if (songs.length === 0) {
    yield* unknownBlocks(file, kind, decodeWhole);
    return;
  }
  const total = songs.reduce((sum, song) => sum + song.file.size, 0);
  let done = 0;
  /** @type {Loss | null} */
  let loss = null;
  const addLoss = (/** @type {Loss} */ more) => {
    loss = sumOf(loss, more);
  };
  /** @type {Block | null} */
  let first = null;
  for (const [index, song] of songs.entries()) {
    const { size } = song.file;
    for await (const block of linkBlocks(song, index === 0 ? file : null, decodeWhole, addLoss)) {
      first ??= block;
      if (block.rate !== first.rate || block.channels.length !== first.channels.length) throw formatChange();
      yield { ...block, fraction: (done + block.fraction * size) / total };
    }
    done += size;
  }
  if (loss) reportLoss(loss);
}

/** @param {Blob} file */
async function formatOf(file) {
  const input = new Input({ formats: FORMATS, source: new BlobSource(file) });
  try {
    return (await input.canRead()) ? await input.getFormat() : null;
  } finally {
    input.dispose();
  }
}

/**
 * @param {Link} link
 * @param {Blob | null} tagged file whose tags are the link's; null for another one than the first
 * @param {DecodeWhole} decodeWhole
 * @param {ReportLoss} reportLoss
 * @returns {AsyncGenerator<Block>}
 */
async function* linkBlocks(link, tagged, decodeWhole, reportLoss) {
  const { file } = link;
  const source = new BlobSource(file);
  let read = 0;
  source.on("read", ({ end }) => {
    read = Math.max(read, end);
  });
  const input = new Input({ formats: FORMATS, source });
  try {
    const track = await defaultTrack(input);
    const padding = await paddingOf(link, input, track, tagged);
    const duration = await durationOf(track, padding);
    const fraction = (/** @type {number} */ seconds) =>
      duration ? Math.min(1, seconds / duration) : read / file.size;
    /** @type {Loss | null} */
    let damage = null;
    const reportDamage = () => {
      damage = { seconds: null };
    };
    let [samples, rate] = [0, 1];
    for await (const block of trackBlocks(file, track, padding, fraction, decodeWhole, reportDamage)) {
      samples += block.channels[0].length;
      rate = block.rate;
      yield block;
    }
    const loss = (await lossOf(link, track, padding, samples, rate)) ?? damage;
    if (loss) reportLoss(loss);
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
 * Streams the track. Where the browser's decoder has promised more than it does, or fails on a damaged packet, a decoder of
 * whole files goes on after the blocks that were given, as far as it can.
 * @param {Blob} file
 * @param {InputAudioTrack} track
 * @param {Padding} padding
 * @param {(seconds: number) => number} fraction of the file, from the seconds decoded
 * @param {DecodeWhole} decodeWhole
 * @param {() => void} reportDamage
 * @returns {AsyncGenerator<Block>}
 */
async function* trackBlocks(file, track, padding, fraction, decodeWhole, reportDamage) {
  let given = 0;
  let rate = 1;
  /** @type {unknown} */
  let failure;
  if (await track.canDecode()) {
    try {
      for await (const block of songBlocks(streamed(track), padding, fraction, reportDamage)) {
        given += block.channels[0].length;
        rate = block.rate;
        yield block;
      }
      return;
    } catch (error) {
      const isSilent = error instanceof Silence;
      if (!isSilent && error instanceof DemixError) throw error;
      failure = error;
      const isDamaged = !isSilent && given > 0;
      if (isDamaged) reportDamage();
      if (isDamaged && (await track.computeDuration()) < given / rate + TAIL_SECONDS) return;
    }
  }
  try {
    yield* withoutStart(given, wholeBlocks(file, track, padding, fraction, decodeWhole, reportDamage));
  } catch (error) {
    if (given > 0) reportDamage();
    else throw failure && describe(error).code !== "audio/too-long" ? failure : error;
  }
}

class Silence extends DemixError {
  constructor() {
    super("audio/unsupported", "This browser's decoder does not answer.");
  }
}

/**
 * @param {InputAudioTrack} track
 * @returns {AsyncGenerator<AudioSample>}
 * @throws {Silence} when nothing is decoded for too long
 */
async function* streamed(track) {
  const samples = new AudioSampleSink(track).samples();
  let isWaiting = true; // for the decoder: one that does not answer is left alone, since closing it crashes WebKitGTK
  try {
    for (;;) {
      const { done, value } = await withinTime(samples.next());
      if (done) return;
      isWaiting = false;
      yield value;
      isWaiting = true;
    }
  } finally {
    if (!isWaiting) await samples.return();
  }
}

/** @template T @param {Promise<T>} promise @returns {Promise<T>} @throws {Silence} */
function withinTime(promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Silence()), SILENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * @param {Blob} file
 * @param {InputAudioTrack} track
 * @param {Padding} padding
 * @param {(seconds: number) => number} fraction
 * @param {DecodeWhole} decodeWhole
 * @param {() => void} reportDamage
 * @returns {AsyncGenerator<Block>}
 */
async function* wholeBlocks(file, track, padding, fraction, decodeWhole, reportDamage) {
  const rate = await track.getSampleRate();
  const bare = await bareFile(file, track);
  const decoded = bare && (await decodeWhole(bare, rate).catch(() => null));
  if (decoded) {
    // Ogg as it is: the decoder may or may not have left the end out.
    const own = bare === file ? { gaps: [await endOf(track)], tail: 0 } : padding;
    yield* songBlocks(planarSamples(decoded), own, fraction, reportDamage);
    return;
  }
  const planar = await decodeWhole(file, rate).catch(async (error) => {
    const codec = (await track.getCodec()) ?? (await track.getInternalCodecId());
    throw error.code === "audio/unreadable" ? undecodable(codec ? String(codec) : "its codec") : error;
  });
  yield* songBlocks(planarSamples(planar), NO_PADDING, fraction, reportDamage);
}

/**
 * @param {InputAudioTrack} track
 * @param {Padding} padding
 * @returns {Promise<number | undefined>} in seconds; undefined when the file does not say
 */
async function durationOf(track, { gaps }) {
  const duration = await track.getDurationFromMetadata();
  return duration && duration > 0 ? duration : gaps.map(([start]) => start).findLast(Number.isFinite);
}

/** @param {InputAudioTrack} track @returns {Promise<import("./padding.js").Gap>} */
async function endOf(track) {
  return [await track.computeDuration(), Number.POSITIVE_INFINITY];
}
