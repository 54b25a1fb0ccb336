/**
 * A track's packets in the plainest container of their codec, for decoders of whole files. Those read delay and padding
 * from a container each in their own way, some not to the sample; here are none to be read, so that every decoder gives
 * all samples and `gapsOf` holds for them as well.
 */

import {
  AdtsOutputFormat,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  FlacOutputFormat,
  Mp3OutputFormat,
  OGG,
  OggOutputFormat,
  Output,
  StreamTarget,
} from "../../vendor/mediabunny/mediabunny.mjs";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */
/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").AudioCodec} AudioCodec */

/** @type {Partial<Record<AudioCodec, () => import("../../vendor/mediabunny/mediabunny.mjs").OutputFormat>>} */
const FORMATS = {
  aac: () => new AdtsOutputFormat(),
  flac: () => new FlacOutputFormat({ appendOnly: true }),
  mp3: () => new Mp3OutputFormat({ xingHeader: false }),
  opus: () => new OggOutputFormat(),
  vorbis: () => new OggOutputFormat(),
};

/**
 * @param {Blob} file of the track
 * @param {InputAudioTrack} track
 * @returns {Promise<Blob | null>} null when the codec has no such container, or the packets do not fit into it
 */
export async function bareFile(file, track) {
  const codec = await track.getCodec();
  const format = codec && FORMATS[codec];
  if (!format) return null;
  if (codec === "vorbis" && (await track.input.getFormat()) === OGG) return file; // it has no delay
  let bare = new Blob();
  const writable = new WritableStream({
    write: ({ data }) => {
      bare = new Blob([bare, data]);
    },
  });
  const output = new Output({ format: format(), target: new StreamTarget(writable, { chunked: true }) });
  const source = new EncodedAudioPacketSource(codec);
  output.addAudioTrack(source);
  try {
    await output.start();
    await copyPackets(track, source, codec === "flac");
    await output.finalize();
    return bare;
  } catch {
    await output.cancel();
    return null;
  }
}

/**
 * Copies the packets up to the first one that is damaged.
 * @param {InputAudioTrack} track
 * @param {EncodedAudioPacketSource} source
 * @param {boolean} isTimed false to let the container count the samples of each packet
 */
async function copyPackets(track, source, isTimed) {
  const decoderConfig = (await track.getDecoderConfig()) ?? undefined;
  let first = Number.NaN;
  for await (const packet of new EncodedPacketSink(track).packets()) {
    if (Number.isNaN(first)) first = packet.timestamp;
    const timestamp = Math.max(0, packet.timestamp - first);
    await source.add(packet.clone({ timestamp, duration: isTimed ? packet.duration : 0 }), { decoderConfig });
  }
}
