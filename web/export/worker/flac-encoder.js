/** FLAC, by libFLAC. */

import createModule from "../../vendor/@mediabunny/flac-encoder/flac.mjs";
import { copyBytes, functions } from "./wasm-memory.js";

/** @typedef {import("./encoders.js").Encoded} Encoded */
/** @typedef {import("./encoders.js").Layout} Layout */
/** @typedef {import("./wasm-memory.js").WasmModule} WasmModule */

const FUNCTIONS = {
  init_encoder: 3,
  get_encode_input_ptr: 2,
  send_samples: 2,
  get_output_data: 1,
  get_frame_count: 1,
  get_frame_size: 2,
  get_frame_samples: 2,
  get_header_data: 1,
  get_header_size: 1,
  finish_encoder: 1,
};

export class FlacEncoder {
  #wasm;
  #call;
  #encoder;
  codec = /** @type {const} */ ("flac");
  delay = 0;

  /**
   * @param {WasmModule} wasm
   * @param {16 | 24} bits
   * @param {{ sampleRate: number, numberOfChannels: number }} format
   * @param {import("./encoders.js").OutputFormat} container
   */
  constructor(wasm, bits, format, container) {
    this.#wasm = wasm;
    this.#call = functions(wasm, FUNCTIONS);
    this.#encoder = this.#call.init_encoder(format.numberOfChannels, format.sampleRate, bits);
    if (this.#encoder === 0) throw new Error("FLAC does not support this rate or number of channels.");
    const header = this.#call.get_header_data(this.#encoder);
    const description = copyBytes(wasm, header, this.#call.get_header_size(this.#encoder));
    /** @type {Layout} */
    this.layout = bits === 16 ? "wide16" : "wide24";
    this.config = { codec: "flac", ...format, description };
    this.container = container;
  }

  /**
   * @param {16 | 24} bits
   * @param {{ sampleRate: number, numberOfChannels: number }} format
   * @param {import("./encoders.js").OutputFormat} container
   */
  static async open(bits, format, container) {
    return new FlacEncoder(/** @type {WasmModule} */ (await createModule()), bits, format, container);
  }

  /** @param {Uint8Array} bytes @param {number} frames */
  encode(bytes, frames) {
    this.#wasm.HEAPU8.set(bytes, this.#call.get_encode_input_ptr(this.#encoder, bytes.length));
    return this.#packets(this.#call.send_samples(this.#encoder, frames));
  }

  finish() {
    return this.#packets(this.#call.finish_encoder(this.#encoder));
  }

  /** @param {number} failed @returns {Encoded[]} */
  #packets(failed) {
    if (failed) throw new Error("The FLAC encoder has failed.");
    let at = this.#call.get_output_data(this.#encoder);
    return Array.from({ length: this.#call.get_frame_count(this.#encoder) }, (_, index) => {
      const data = copyBytes(this.#wasm, at, this.#call.get_frame_size(this.#encoder, index));
      at += data.length;
      return { data, frames: this.#call.get_frame_samples(this.#encoder, index) };
    });
  }
}
