/**
 * What an MP3 encoder added to a song: its own delay before, and silence after it to fill the last frame. Both
 * stand in the "LAME tag" that LAME and its successors leave in the first frame; MP3 itself has no place for it.
 */

/** Samples by which every MP3 decoder is late, by its filter bank. */
const DECODER_DELAY = 529;

/** Enough for the first frame of any rate. */
const FRAME_BYTES = 2_048;

/** Where the tag has its 12 bits of delay and 12 bits of padding. */
const LAME_DELAYS = 21;

/**
 * @param {Blob} file an MP3 file
 * @returns {Promise<{ before: number, after: number }>} samples to leave out at each end; none where no tag is
 */
export async function mp3Padding(file) {
  const frame = await read(file, await firstFrame(file), FRAME_BYTES);
  const tag = frame.byteLength === FRAME_BYTES ? lameTag(frame) : null;
  if (tag === null) return { before: 0, after: 0 };
  const delays = frame.getUint32(tag + LAME_DELAYS) >>> 8;
  return {
    before: (delays >>> 12) + DECODER_DELAY,
    after: Math.max(0, (delays & 0xfff) - DECODER_DELAY),
  };
}

/** Behind the ID3 tag, which may hold a picture of megabytes. @param {Blob} file */
async function firstFrame(file) {
  const header = await read(file, 0, 10);
  if (header.byteLength < 10 || text(header, 0, 3) !== "ID3") return 0;
  const size = [6, 7, 8, 9].reduce((total, at) => (total << 7) | header.getUint8(at), 0);
  return 10 + size;
}

/** @param {DataView} frame @returns {number | null} where the LAME tag begins */
function lameTag(frame) {
  const version = (frame.getUint8(1) >> 3) & 3;
  const mono = frame.getUint8(3) >> 6 === 3;
  const sideInformation = version === 3 ? (mono ? 17 : 32) : mono ? 9 : 17;
  const xing = 4 + sideInformation;
  if (!["Xing", "Info"].includes(text(frame, xing, 4))) return null;
  const flags = frame.getUint32(xing + 4);
  // Counts of frames and of bytes, the seek table and the quality are there or not.
  const fields = [4, 4, 100, 4].filter((_, bit) => flags & (1 << bit));
  const tag = fields.reduce((total, size) => total + size, xing + 8);
  return frame.getUint8(tag) === 0 ? null : tag;
}

/** @param {Blob} file @param {number} start @param {number} length */
async function read(file, start, length) {
  return new DataView(await file.slice(start, start + length).arrayBuffer());
}

/** @param {DataView} view @param {number} start @param {number} length */
function text(view, start, length) {
  return String.fromCharCode(...new Uint8Array(view.buffer, start, length));
}
