/** MP3 of a constant bit rate, by LAME. */

import createModule from "../../vendor/@mediabunny/mp3-encoder/lame.mjs";
import { infoFrame, mp3Length } from "./mp3-info.js";
import { copyBytes, functions } from "./wasm-memory.js";

/** @typedef {import("./encoders.js").Encoded} Encoded */
/** @typedef {import("./encoders.js").Layout} Layout */
/** @typedef {import("./wasm-memory.js").WasmModule} WasmModule */

const FUNCTIONS = { init_lame: 3, encode_samples: 6, flush_lame: 3 };

/** The output buffer that LAME requires: bytes for each sample, and a constant. */
const BYTES_PER_SAMPLE = 1.25;
const EXTRA_BYTES = 7200;

export class Mp3Encoder {
  #wasm;
  #call;
  #lame;
  #length;
  #channels;
  #memory = { input: 0, output: 0, frames: -1 };
  #begun = false;
  layout = /** @type {Layout} */ ("planar16");
  codec = /** @type {const} */ ("mp3");
  delay = 0;

  /**
   * @param {WasmModule} wasm
   * @param {number} bitrate in bit/s
   * @param {{ sampleRate: number, numberOfChannels: number }} format
   * @param {number} length in samples
   * @param {import("./encoders.js").OutputFormat} container
   */
  constructor(wasm, bitrate, format, length, container) {
    this.#wasm = wasm;
    this.#call = functions(wasm, FUNCTIONS);
    this.#channels = format.numberOfChannels;
    this.#lame = this.#call.init_lame(this.#channels, format.sampleRate, bitrate);
    this.#length = mp3Length(length, format.sampleRate);
    this.config = { codec: "mp3", ...format };
    this.container = container;
  }

  /**
   * @param {number} bitrate in bit/s
   * @param {{ sampleRate: number, numberOfChannels: number }} format
   * @param {number} length in samples
   * @param {import("./encoders.js").OutputFormat} container
   */
  static async open(bitrate, format, length, container) {
    return new Mp3Encoder(
      /** @type {WasmModule} */ (await createModule()),
      bitrate,
      format,
      length,
      container,
    );
  }

  /** @param {Uint8Array} bytes @param {number} frames */
  encode(bytes, frames) {
    const { input, output, room } = this.#room(frames);
    this.#wasm.HEAPU8.set(bytes, input);
    const right = input + (bytes.length / this.#channels) * (this.#channels - 1);
    return this.#encoded(this.#call.encode_samples(this.#lame, input, right, frames, output, room), frames);
  }

  finish() {
    const { output } = this.#room(0);
    return this.#encoded(this.#call.flush_lame(this.#lame, output, EXTRA_BYTES), 0);
  }

  /** @param {number} bytes @param {number} frames @returns {Encoded[]} */
  #encoded(bytes, frames) {
    if (bytes < 0) throw new Error(`The MP3 encoder has failed with code ${bytes}.`);
    const data = copyBytes(this.#wasm, this.#memory.output, bytes);
    if (this.#begun || bytes === 0) return [{ data, frames }];
    this.#begun = true;
    return [
      { data: infoFrame(data, this.#length), frames: 0 },
      { data, frames },
    ];
  }

  /** Buffers for a block, allocated once: no later block is longer. @param {number} frames */
  #room(frames) {
    const room = Math.ceil(BYTES_PER_SAMPLE * frames) + EXTRA_BYTES;
    if (frames > this.#memory.frames) {
      const input = this.#wasm._malloc(Math.max(1, 2 * frames * this.#channels));
      this.#memory = { input, output: this.#wasm._malloc(room), frames };
    }
    return { ...this.#memory, room };
  }
}
