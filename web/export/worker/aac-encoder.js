/** AAC-LC by FFmpeg's encoder; browsers on Linux have none. */

import createModule from "../../vendor/@mediabunny/aac-encoder/aac.mjs";
import { copyBytes, functions } from "./wasm-memory.js";

/** @typedef {import("./encoders.js").Encoded} Encoded */
/** @typedef {import("./encoders.js").Layout} Layout */
/** @typedef {import("./wasm-memory.js").WasmModule} WasmModule */

const FUNCTIONS = {
  init_encoder: 3,
  get_encoder_frame_size: 1,
  get_encoder_extradata: 1,
  get_encoder_extradata_size: 1,
  get_encode_input_ptr: 2,
  send_frame: 2,
  receive_packet: 1,
  flush_encoder_start: 1,
  get_encoded_data: 1,
};

const SAMPLE_BYTES = 4;

export class AacEncoder {
  #wasm;
  #call;
  #encoder;
  #frame;
  #pending;
  #filled = 0;
  #sent = 0;
  layout = /** @type {Layout} */ ("float");
  codec = /** @type {const} */ ("aac");

  /**
   * @param {WasmModule} wasm
   * @param {number} bitrate in bit/s
   * @param {{ sampleRate: number, numberOfChannels: number }} format
   * @param {import("./encoders.js").OutputFormat} container
   */
  constructor(wasm, bitrate, format, container) {
    const { numberOfChannels, sampleRate } = format;
    this.#wasm = wasm;
    this.#call = functions(wasm, FUNCTIONS);
    this.#encoder = this.#call.init_encoder(numberOfChannels, sampleRate, bitrate);
    if (this.#encoder === 0) throw new Error("AAC does not support this rate or number of channels.");
    this.#frame = this.#call.get_encoder_frame_size(this.#encoder);
    this.#pending = new Uint8Array(this.#frame * numberOfChannels * SAMPLE_BYTES);
    /** Its filters look one frame back. */
    this.delay = this.#frame;
    const start = this.#call.get_encoder_extradata(this.#encoder);
    const description = copyBytes(wasm, start, this.#call.get_encoder_extradata_size(this.#encoder));
    this.config = { codec: "mp4a.40.2", ...format, description };
    this.container = container;
  }

  /**
   * @param {number} bitrate in bit/s
   * @param {{ sampleRate: number, numberOfChannels: number }} format
   * @param {import("./encoders.js").OutputFormat} container
   */
  static async open(bitrate, format, container) {
    return new AacEncoder(/** @type {WasmModule} */ (await createModule()), bitrate, format, container);
  }

  /** @param {Uint8Array} bytes @returns {Encoded[]} */
  encode(bytes) {
    /** @type {Encoded[]} */
    const encoded = [];
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#pending.length - this.#filled);
      this.#pending.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#pending.length) encoded.push(...this.#send());
    }
    return encoded;
  }

  finish() {
    /** @type {Encoded[]} */
    const encoded = [];
    if (this.#filled > 0) {
      this.#pending.fill(0, this.#filled);
      encoded.push(...this.#send());
    }
    this.#call.flush_encoder_start(this.#encoder);
    return [...encoded, ...this.#receive()];
  }

  #send() {
    this.#wasm.HEAPU8.set(
      this.#pending,
      this.#call.get_encode_input_ptr(this.#encoder, this.#pending.length),
    );
    if (this.#call.send_frame(this.#encoder, BigInt(this.#sent)) < 0)
      throw new Error("The AAC encoder has failed.");
    this.#sent += this.#frame;
    this.#filled = 0;
    return this.#receive();
  }

  /** @returns {Encoded[]} */
  #receive() {
    const encoded = [];
    for (;;) {
      const bytes = this.#call.receive_packet(this.#encoder);
      if (bytes <= 0) return encoded;
      const data = copyBytes(this.#wasm, this.#call.get_encoded_data(this.#encoder), bytes);
      encoded.push({ data, frames: this.#frame });
    }
  }
}
