/**
 * The first frame of an MP3 file: silence, with LAME's tag, from which decoders know how many samples to skip at the
 * beginning and at the end. Without it a stem would begin a few hundredths of a second late.
 */

/** @typedef {{ frames: number, delay: number, padding: number }} Mp3Length frames without the first one; the rest in samples */

/** Samples by which LAME delays what it encodes. */
const DELAY = 576;
const MIN_PADDING = 576;

/** Rates of MPEG-1, whose frames are twice as long as those of its successors. */
const MPEG1_RATES = 32_000;

const HAS_FRAMES = 1;
const ENCODER = "LAME3.100";

/**
 * The length of a song as LAME encodes it: the last frame is padded, and one more is added when the padding would be too
 * short for the overlap of decoders.
 * @param {number} length of the song in samples
 * @param {number} rate in Hz
 * @returns {Mp3Length}
 */
export function mp3Length(length, rate) {
  const frame = rate >= MPEG1_RATES ? 1152 : 576;
  const samples = length + DELAY;
  const filled = frame - (samples % frame);
  const padding = filled < MIN_PADDING ? filled + frame : filled;
  return { frames: (samples + padding) / frame, delay: DELAY, padding };
}

/**
 * The frame itself.
 * @param {Uint8Array} stream begins with a frame, whose header gives the size and kind of this one
 * @param {Mp3Length} length
 */
export function infoFrame(stream, { frames, delay, padding }) {
  const header = readHeader(stream);
  const bytes = new Uint8Array(header.bytes);
  const view = new DataView(bytes.buffer);
  bytes.set(header.words);
  let at = 4 + header.sideBytes;
  const text = (/** @type {string} */ letters) => {
    bytes.set(new TextEncoder().encode(letters), at);
    at += letters.length;
  };
  text("Info"); // of a constant bit rate
  view.setUint32(at, HAS_FRAMES);
  view.setUint32(at + 4, frames);
  at += 8;
  text(ENCODER);
  bytes[at] = 1; // method: constant bit rate
  const gaps = at + 12;
  bytes[gaps] = delay >> 4;
  bytes[gaps + 1] = ((delay & 15) << 4) | (padding >> 8);
  bytes[gaps + 2] = padding & 255;
  const check = at + 25;
  view.setUint16(check, crc16(bytes.subarray(0, check)));
  return bytes;
}

/** Kilobits a second of layer III, by the index in the header: MPEG-1, then its successors. */
const BITRATES = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/** Hz of MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter. */
const RATES = [44_100, 48_000, 32_000];

/** Bytes of the smallest frame that holds side information and tag. */
const MIN_BYTES = 4 + 32 + 4 + 8 + 36;

/** Header of a frame that is large enough, and its sizes. @param {Uint8Array} stream */
function readHeader(stream) {
  const words = stream.slice(0, 4);
  const version = (words[1] >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const mono = words[3] >> 6 === 3;
  const mpeg1 = version === 3;
  const rate = RATES[(words[2] >> 2) & 3] >> (mpeg1 ? 0 : version === 2 ? 1 : 2);
  const rates = BITRATES[mpeg1 ? 0 : 1];
  const size = (/** @type {number} */ index) => Math.floor(((mpeg1 ? 144 : 72) * 1000 * rates[index]) / rate);
  let index = words[2] >> 4;
  while (size(index) < MIN_BYTES) index += 1;
  words[1] |= 1; // no checksum
  words[2] = (index << 4) | (words[2] & 0b1100); // no padding
  const sideBytes = mpeg1 ? (mono ? 17 : 32) : mono ? 9 : 17;
  return { words, bytes: size(index), sideBytes };
}

/** CRC-16 of the polynomial x^16 + x^15 + x^2 + 1, lowest bit first. @param {Uint8Array} bytes */
function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}
