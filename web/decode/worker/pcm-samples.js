/** How uncompressed files write a sample, and what it is as a number of full scale 1. */

/** @typedef {"signed" | "unsigned" | "float" | "alaw" | "ulaw"} SampleKind */

/**
 * @typedef {object} SampleFormat
 * @property {SampleKind} kind
 * @property {number} bytes
 * @property {boolean} littleEndian
 */

/** What a sample of each kind may take, in bytes. @type {Record<SampleKind, number[]>} */
const SIZES = { signed: [1, 2, 3, 4], unsigned: [1], float: [4, 8], alaw: [1], ulaw: [1] };

/** @param {SampleFormat} format */
export function isReadable({ kind, bytes }) {
  return SIZES[kind].includes(bytes);
}

/**
 * @param {SampleFormat} format one that is readable
 * @returns {(view: DataView, at: number) => number}
 */
export function sampleReader({ kind, bytes, littleEndian: little }) {
  if (kind === "alaw") return (view, at) => ALAW[view.getUint8(at)];
  if (kind === "ulaw") return (view, at) => ULAW[view.getUint8(at)];
  if (kind === "unsigned") return (view, at) => view.getUint8(at) / 0x80 - 1;
  if (kind === "float" && bytes === 8) return (view, at) => view.getFloat64(at, little);
  if (kind === "float") return (view, at) => view.getFloat32(at, little);
  if (bytes === 4) return (view, at) => view.getInt32(at, little) / 0x8000_0000;
  if (bytes === 2) return (view, at) => view.getInt16(at, little) / 0x8000;
  if (bytes === 1) return (view, at) => view.getInt8(at) / 0x80;
  // The upper 16 bits carry the sign.
  if (little) return (view, at) => (view.getInt16(at + 1, true) * 0x100 + view.getUint8(at)) / 0x80_0000;
  return (view, at) => (view.getInt16(at) * 0x100 + view.getUint8(at + 2)) / 0x80_0000;
}

/** ITU-T G.711, A-law: every second bit is inverted. */
const ALAW = Float32Array.from({ length: 256 }, (_, code) => {
  const byte = code ^ 0x55;
  const exponent = (byte >> 4) & 7;
  const step = ((byte & 0xf) << 4) + 8;
  const magnitude = exponent === 0 ? step : (step + 0x100) << (exponent - 1);
  return (byte & 0x80 ? magnitude : -magnitude) / 0x8000;
});

/** ITU-T G.711, mu-law: every bit is inverted, and the steps begin at a bias. */
const ULAW = Float32Array.from({ length: 256 }, (_, code) => {
  const byte = ~code & 0xff;
  const magnitude = ((((byte & 0xf) << 3) + 0x84) << ((byte >> 4) & 7)) - 0x84;
  return (byte & 0x80 ? -magnitude : magnitude) / 0x8000;
});
