/** The coders: what turns rendered samples into the packets of a file, each fetched when it is first needed. */

import {
  FlacOutputFormat,
  Mp3OutputFormat,
  Mp4OutputFormat,
  WavOutputFormat,
} from "../../vendor/mediabunny/mediabunny.mjs";

/** @typedef {import("../../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").OutputFormat} OutputFormat */
/** @typedef {import("../protocol.js").Coding} Coding */

/** @typedef {"float" | "packed16" | "packed24" | "wide16" | "wide24" | "planar16"} Layout see `demixer.pcm.Rendering` */

/** @typedef {{ data: Uint8Array, frames: number }} Coded a packet of so many samples */

/**
 * @typedef {object} Coder
 * @property {Layout} layout of the samples that it takes
 * @property {import("../../vendor/mediabunny/mediabunny.mjs").AudioCodec} codec
 * @property {AudioDecoderConfig} config what a decoder is to know
 * @property {OutputFormat} container of a file with one track
 * @property {number} delay samples that a decoder gives before the song's first one, and a player leaves out
 * @property {(bytes: Uint8Array, frames: number) => Coded[]} encode
 * @property {() => Coded[]} finish what is still inside
 */

/** RIFF counts its bytes with 32 bits; a longer file is RF64. Some room is left for tags. */
const MOST_RIFF_BYTES = 2 ** 32 - 2 ** 20;

/** @type {Record<number, { layout: Layout, codec: "pcm-s16" | "pcm-s24" | "pcm-f32" }>} */
const PCM = {
  16: { layout: "packed16", codec: "pcm-s16" },
  24: { layout: "packed24", codec: "pcm-s24" },
  32: { layout: "float", codec: "pcm-f32" },
};

/**
 * @param {Coding} coding
 * @param {StoredAudio} audio
 * @returns {Promise<Coder>}
 */
export async function openCoder(coding, audio) {
  const { rate: sampleRate, channels: numberOfChannels, length } = audio;
  const format = { sampleRate, numberOfChannels };
  switch (coding.kind) {
    case "wav":
      return wav(coding.bits, format, length);
    case "flac": {
      const { FlacCoder } = await import("./flac-encoder.js");
      return FlacCoder.open(coding.bits, format, new FlacOutputFormat());
    }
    case "mp3": {
      const { Mp3Coder } = await import("./mp3-encoder.js");
      // With its own first frame, which tells decoders what to leave out; mediabunny's does not.
      return Mp3Coder.open(coding.bitrate, format, length, new Mp3OutputFormat({ xingHeader: false }));
    }
    case "aac": {
      const { AacCoder } = await import("./aac-encoder.js");
      return AacCoder.open(coding.bitrate, format, new Mp4OutputFormat({ fastStart: false }));
    }
  }
}

/**
 * @param {16 | 24 | 32} bits
 * @param {{ sampleRate: number, numberOfChannels: number }} format
 * @param {number} length
 * @returns {Coder}
 */
function wav(bits, format, length) {
  const { layout, codec } = PCM[bits];
  const large = (length * format.numberOfChannels * bits) / 8 > MOST_RIFF_BYTES;
  return {
    layout,
    codec,
    config: { codec, ...format },
    container: new WavOutputFormat({ large }),
    delay: 0,
    encode: (data, frames) => [{ data, frames }],
    finish: () => [],
  };
}
