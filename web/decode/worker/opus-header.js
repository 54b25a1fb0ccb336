/** The pre-skip of Opus: samples at the start that let the decoder converge, which its header counts. */

/** @typedef {import("../../vendor/mediabunny/mediabunny.mjs").InputAudioTrack} InputAudioTrack */

/** In Hz, of Opus whatever rate was encoded. */
const RATE = 48_000;

/** Offset of the pre-skip in the header, 16 bits. */
const PRE_SKIP = 10;

/**
 * Takes the pre-skip out of a track's header. Some decoders leave it out and others do not; a decoder that knows of none
 * gives all samples.
 * @param {InputAudioTrack} track changed in place
 * @returns {Promise<number>} the pre-skip in seconds; 0 for other codecs
 */
export async function takePreSkip(track) {
  const config = await track.getDecoderConfig();
  if (!config?.description || (await track.getCodec()) !== "opus") return 0;
  const { buffer, byteOffset, byteLength } = /** @type {Uint8Array<ArrayBuffer>} */ (config.description);
  const header = new DataView(buffer.slice(byteOffset, byteOffset + byteLength));
  const samples = header.getUint16(PRE_SKIP, true);
  header.setUint16(PRE_SKIP, 0, true);
  const bare = { ...config, description: new Uint8Array(header.buffer) };
  track.getDecoderConfig = async () => bare;
  return samples / RATE;
}
