/** Encoders turn rendered samples into the packets of a file. Each is fetched when it is first needed. */

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

/** @typedef {{ data: Uint8Array, frames: number }} Encoded a packet, and its number of samples */

/**
 * @typedef {object} Encoder
 * @property {Layout} layout of its input
 * @property {import("../../vendor/mediabunny/mediabunny.mjs").AudioCodec} codec
 * @property {AudioDecoderConfig} config for decoders
 * @property {OutputFormat} container of a file with one track
 * @property {boolean} [large] true for a WAV whose sizes take 64 bits
 * @property {number} delay samples before the song's first one, which players skip
 * @property {(bytes: Uint8Array, frames: number) => Encoded[]} encode
 * @property {() => Encoded[]} finish returns the remaining packets
 */

/** Sizes in RIFF have 32 bits; longer files are RF64. Some room is left for tags. */
const MAX_RIFF_BYTES = 2 ** 32 - 2 ** 20;

/** @type {Record<number, { layout: Layout, codec: "pcm-s16" | "pcm-s24" | "pcm-f32" }>} */
const PCM = {
  16: { layout: "packed16", codec: "pcm-s16" },
  24: { layout: "packed24", codec: "pcm-s24" },
  32: { layout: "float", codec: "pcm-f32" },
};

/**
 * @param {Coding} coding
 * @param {StoredAudio} audio
 * @returns {Promise<Encoder>}
 */
export async function openEncoder(coding, audio) {
  const { rate: sampleRate, channels: numberOfChannels, length } = audio;
  const format = { sampleRate, numberOfChannels };
  switch (coding.kind) {
    case "wav":
      return wav(coding.bits, format, length);
    case "flac": {
      const { FlacEncoder } = await import("./flac-encoder.js");
      return FlacEncoder.open(coding.bits, format, new FlacOutputFormat());
    }
    case "mp3": {
      const { Mp3Encoder } = await import("./mp3-encoder.js");
      // The encoder adds its own first frame with LAME's tag, which mediabunny's lacks.
      return Mp3Encoder.open(coding.bitrate, format, length, new Mp3OutputFormat({ xingHeader: false }));
    }
    case "aac": {
      const { AacEncoder } = await import("./aac-encoder.js");
      return AacEncoder.open(coding.bitrate, format, new Mp4OutputFormat({ fastStart: false }));
    }
  }
}

/**
 * @param {16 | 24 | 32} bits
 * @param {{ sampleRate: number, numberOfChannels: number }} format
 * @param {number} length
 * @returns {Encoder}
 */
function wav(bits, format, length) {
  const { layout, codec } = PCM[bits];
  const large = (length * format.numberOfChannels * bits) / 8 > MAX_RIFF_BYTES;
  return {
    layout,
    codec,
    config: { codec, ...format },
    container: new WavOutputFormat({ large }),
    large,
    delay: 0,
    encode: (data, frames) => [{ data, frames }],
    finish: () => [],
  };
}
