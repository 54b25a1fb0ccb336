/** A part of a plan on its way into a container: rendered by Python, encoded, and passed on as packets. */

import { EncodedAudioPacketSource, EncodedPacket } from "../../vendor/mediabunny/mediabunny.mjs";
import { openEncoder } from "./encoders.js";

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").Output} Output */
/** @typedef {import("../protocol.js").Plan} Plan */
/** @typedef {import("./encoders.js").Encoder} Encoder */
/** @typedef {import("./encoders.js").Encoded} Encoded */
/** @typedef {import("./write-plan.js").Job} Job */
/** @typedef {import("./write-plan.js").Rendering} Rendering */

/** Samples that are rendered and encoded together. */
const BLOCK = 1 << 16;

export class EncodedTrack {
  #encoder;
  #rendering;
  #rate;
  #length;
  #position;

  /**
   * @param {Encoder} encoder
   * @param {Rendering} rendering in the encoder's layout
   * @param {{ rate: number, length: number }} audio
   */
  constructor(encoder, rendering, { rate, length }) {
    this.#encoder = encoder;
    this.#rendering = rendering;
    this.#rate = rate;
    this.#length = length;
    this.#position = -encoder.delay;
    /** Container of a file with this track alone. */
    this.container = encoder.container;
    /** True for a WAV whose sizes take 64 bits. */
    this.isLarge = encoder.large === true;
    /** Packets for the output. */
    this.source = new EncodedAudioPacketSource(encoder.codec);
  }

  /** @param {Job} job @param {number} index of the part */
  static async open({ plan, render }, index) {
    const part = plan.parts[index];
    const audio = { ...plan.stems[0], channels: part.gains[0].length }; // a mono song may have a stereo mix
    const encoder = await openEncoder(plan.coding, audio);
    return new EncodedTrack(encoder, render(part, encoder.layout, index), audio);
  }

  /** @param {number} start @param {number} stop of the next block */
  async encode(start, stop) {
    await this.#add(this.#encoder.encode(await this.#rendering.read(start, stop), stop - start));
  }

  /** Ends the track after its last block. */
  async finish() {
    await this.#add(this.#encoder.finish());
    this.source.close();
  }

  /** The checksum of what was encoded, once it is complete. */
  digest() {
    return this.#rendering.digest();
  }

  /** Releases the rendering. */
  close() {
    this.#rendering.close();
  }

  /** @param {Encoded[]} encoded */
  async #add(encoded) {
    for (const { data, frames } of encoded) {
      const duration = Math.max(0, Math.min(frames, this.#length - this.#position)); // the last packet may be padded
      const packet = new EncodedPacket(data, "key", this.#position / this.#rate, duration / this.#rate);
      if (data.length > 0) await this.source.add(packet, { decoderConfig: this.#encoder.config });
      this.#position += frames;
    }
  }
}

/**
 * Encodes all tracks of an output block by block.
 * @param {Output} output
 * @param {EncodedTrack[]} tracks
 * @param {Job} job
 * @param {(fraction: number) => void} report
 */
export async function encodeTracks(output, tracks, { plan, signal }, report) {
  const { length } = plan.stems[0];
  await output.start();
  for (let start = 0; start < length; start += BLOCK) {
    signal.throwIfAborted();
    const stop = Math.min(start + BLOCK, length);
    for (const track of tracks) await track.encode(start, stop);
    report(stop / length);
  }
  for (const track of tracks) await track.finish();
  await output.finalize();
}
