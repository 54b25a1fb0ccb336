/** WAV files of 32-bit float samples, written piece by piece. */

/** @typedef {import("./track.js").Track} Track */

/** Format tag of IEEE floating point. */
const FLOAT = 3;

const BYTES = 4;

/** RIFF sizes are 32 bits wide; a JUNK chunk of this size leaves room for RF64's `ds64` in longer files. */
const DS64_BYTES = 28;

/** Frames to a piece: a few milliseconds of work, so that the page stays responsive. */
const PIECE = 1 << 16;

/**
 * @param {number} rate in Hz
 * @param {number} channels
 * @param {number} frames
 */
export function wavHeader(rate, channels, frames) {
  const dataBytes = frames * channels * BYTES;
  const format = chunk("fmt ", 18, (view) => {
    view.setUint16(0, FLOAT, true);
    view.setUint16(2, channels, true);
    view.setUint32(4, rate, true);
    view.setUint32(8, rate * channels * BYTES, true);
    view.setUint16(12, channels * BYTES, true);
    view.setUint16(14, 8 * BYTES, true);
  });
  const fact = chunk("fact", 4, (view) => view.setUint32(0, frames, true));
  const junk = chunk("JUNK", DS64_BYTES, () => {});
  const data = tag("data", dataBytes);
  const chunks = [tag("WAVE"), junk, format, fact, data];
  const size = chunks.reduce((sum, part) => sum + part.length, dataBytes);
  return concatenate([tag("RIFF", size), ...chunks]);
}

/**
 * @param {Track} track finished
 * @param {number} rate in Hz
 * @param {(fraction: number) => void} progress
 */
export async function* wavPieces(track, rate, progress) {
  yield wavHeader(rate, track.channelCount, track.length);
  for (let start = 0; start < track.length; start += PIECE) {
    const stop = Math.min(start + PIECE, track.length);
    yield interleave(await track.read(start, stop));
    progress(stop / track.length);
    await nextTask();
  }
}

/**
 * @param {Track} track finished
 * @param {number} rate in Hz
 * @param {(fraction: number) => void} progress
 */
export async function wavBlob(track, rate, progress) {
  const pieces = [];
  for await (const piece of wavPieces(track, rate, progress)) pieces.push(piece);
  return new Blob(pieces, { type: "audio/wav" });
}

/** @param {Float32Array[]} channels */
function interleave(channels) {
  const frames = channels[0].length;
  const samples = new Float32Array(frames * channels.length);
  for (const [offset, channel] of channels.entries()) {
    for (let frame = 0; frame < frames; frame += 1)
      samples[frame * channels.length + offset] = channel[frame];
  }
  return new Uint8Array(samples.buffer);
}

/**
 * @param {string} id
 * @param {number} [size]
 */
function tag(id, size) {
  const bytes = new Uint8Array(size === undefined ? 4 : 8);
  bytes.set(new TextEncoder().encode(id));
  if (size !== undefined) new DataView(bytes.buffer).setUint32(4, size, true);
  return bytes;
}

/**
 * @param {string} id
 * @param {number} size
 * @param {(view: DataView) => void} fill
 */
function chunk(id, size, fill) {
  const bytes = new Uint8Array(8 + size);
  bytes.set(tag(id, size));
  fill(new DataView(bytes.buffer, 8));
  return bytes;
}

/** @param {Uint8Array[]} parts */
function concatenate(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Lets the page handle its events. */
function nextTask() {
  return new Promise((resolve) => setTimeout(resolve));
}
