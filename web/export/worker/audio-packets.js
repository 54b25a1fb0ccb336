/** What a coder gives, as packets of a track with their times. */

import { EncodedAudioPacketSource, EncodedPacket } from "../../vendor/mediabunny/mediabunny.mjs";

/** @typedef {import("./encoders.js").Coder} Coder */
/** @typedef {import("./encoders.js").Coded} Coded */

export class AudioPackets {
  #coder;
  #rate;
  #at;
  #stop;

  /**
   * @param {Coder} coder
   * @param {number} rate in Hz
   * @param {number} length of the song in samples
   */
  constructor(coder, rate, length) {
    this.#coder = coder;
    this.#rate = rate;
    this.#at = -coder.delay;
    this.#stop = length;
    /** What an output takes. */
    this.source = new EncodedAudioPacketSource(coder.codec);
  }

  /**
   * @param {Uint8Array} bytes rendered in the coder's layout
   * @param {number} frames
   */
  async add(bytes, frames) {
    await this.#pass(this.#coder.encode(bytes, frames));
  }

  /** All samples were added. */
  async finish() {
    await this.#pass(this.#coder.finish());
    this.source.close();
  }

  /** @param {Coded[]} coded */
  async #pass(coded) {
    for (const { data, frames } of coded) {
      const lasting = Math.max(0, Math.min(frames, this.#stop - this.#at)); // the last one may be filled up
      const packet = new EncodedPacket(data, "key", this.#at / this.#rate, lasting / this.#rate);
      if (data.length > 0) await this.source.add(packet, { decoderConfig: this.#coder.config });
      this.#at += frames;
    }
  }
}
