/**
 * Decodes FLAC with the browser's decoder, which makes noise at full scale of damaged frames: here they are no sound, as
 * the checksum at their ends tells. `demixer.runtimes.decoders` has FFmpeg check it.
 */

import { AudioSample, CustomAudioDecoder, registerDecoder } from "../../vendor/mediabunny/mediabunny.mjs";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").EncodedPacket} EncodedPacket */

/** Frames in the decoder at once. */
const QUEUE = 8;

/** Beginnings of tags that programs append. */
const TAGS = /TAG|APETAGEX|ID3/g;

class FlacDecoder extends CustomAudioDecoder {
  /** @type {AudioDecoder | null} */ #decoder = null;
  /** Decoded when it is known whether it is the last one. @type {EncodedPacket | null} */ #held = null;
  #queued = 0;

  /** @override @param {string} codec */
  static supports(codec) {
    return codec === "flac" && typeof AudioDecoder === "function";
  }

  /** @override */
  init() {
    this.#decoder = new AudioDecoder({
      output: (data) => this.onSample(new AudioSample(data)),
      error: (error) => this.onError(error),
    });
    try {
      this.#decoder.configure(this.config);
    } catch (error) {
      this.onError(error); // thrown, it would be the rejection of every later call, some of which nobody awaits
    }
  }

  /** @override @param {EncodedPacket} packet */
  async decode(packet) {
    const held = this.#held;
    this.#held = packet;
    if (held) await this.#decodeFrame(held, checksum(held.data) === 0);
  }

  /** @override */
  async flush() {
    const held = this.#held;
    this.#held = null;
    if (held && isFrame(held.data)) await this.#decodeFrame(held, true); // else it is cut off
    if (this.#decoder?.state === "configured") await this.#drain();
  }

  /** @override */
  close() {
    if (this.#decoder?.state !== "closed") this.#decoder?.close();
  }

  /** @param {EncodedPacket} packet @param {boolean} isWhole */
  async #decodeFrame(packet, isWhole) {
    if (this.#decoder?.state !== "configured") return; // its error has been reported
    if (isWhole) this.#decoder.decode(packet.toEncodedAudioChunk());
    this.#queued += 1;
    if (isWhole && this.#queued < QUEUE) return;
    this.#queued = 0;
    await this.#drain();
    if (!isWhole) this.onSample(this.#noSound(packet));
  }

  /** Resolves when nothing is queued, after an error too: `onError` has got it, and nobody may await the rejection. */
  async #drain() {
    await this.#decoder?.flush().catch(() => {});
  }

  /** Samples which `song-blocks.js` makes silent, and reports as damage. @param {EncodedPacket} packet */
  #noSound({ timestamp, duration }) {
    const { numberOfChannels, sampleRate } = this.config;
    const length = numberOfChannels * Math.max(1, Math.round(duration * sampleRate));
    const data = new Float32Array(length).fill(Number.NaN);
    return new AudioSample({ data, format: "f32-planar", numberOfChannels, sampleRate, timestamp });
  }
}

registerDecoder(FlacDecoder);

/** CRC-16 with the polynomial 0x8005, by the next byte. */
const CHECKSUMS = Uint16Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum << 1) ^ (sum & 0x8000 ? 0x8005 : 0);
  return sum;
});

/** The checksum of a frame; 0 with its own at the end. @param {Uint8Array} bytes */
function checksum(bytes) {
  let sum = 0;
  for (const byte of bytes) sum = ((sum << 8) & 0xffff) ^ CHECKSUMS[(sum >> 8) ^ byte];
  return sum;
}

/** True when bytes are a frame, perhaps with tags behind the last one. @param {Uint8Array} bytes */
function isFrame(bytes) {
  if (checksum(bytes) === 0) return true;
  const text = new TextDecoder("latin1").decode(bytes);
  return Array.from(text.matchAll(TAGS)).some(({ index }) => checksum(bytes.subarray(0, index)) === 0);
}
