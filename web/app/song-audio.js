/** Samples of a song, as the engine and the exporter read them. */

import { hopFor } from "../library/measurement.js";
import { Track } from "../library/track.js";

/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("./desk.js").Span} Span */
/** @typedef {import("./song.js").Format} Format */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {{ start: number, stop: number }} Range in samples */

/** @param {Song} song @returns {StoredAudio | null} null until it is decoded */
export function audioOf({ format, folder, track }) {
  return format && track && { ...format, folder, pieces: track.pieces };
}

/**
 * A part of stored audio. Its pieces are slices of the whole's: nothing is copied.
 * @param {StoredAudio} audio
 * @param {Range} range
 * @returns {StoredAudio}
 */
export function partOf({ rate, channels, pieces }, { start, stop }) {
  const bytes = channels * Float32Array.BYTES_PER_ELEMENT;
  const parts = pieces
    .filter((piece) => piece.start < stop && piece.start + piece.length > start)
    .map((piece) => {
      const first = Math.max(start, piece.start);
      const last = Math.min(stop, piece.start + piece.length);
      const blob = piece.blob.slice((first - piece.start) * bytes, (last - piece.start) * bytes);
      return { start: first - start, length: last - first, blob };
    });
  return { rate, channels, length: stop - start, folder: null, pieces: parts };
}

/** A region in samples, on the grid of the peaks; the whole song without one. @param {Format} format @param {Span | null} region */
export function rangeOf({ rate, length }, region) {
  if (!region) return { start: 0, stop: length };
  const hop = hopFor(length);
  return {
    start: Math.floor((region.start * rate) / hop) * hop,
    stop: Math.min(length, Math.ceil((region.stop * rate) / hop) * hop),
  };
}

/** Empty tracks for the stems of a model. @param {Format} format @param {string[]} stems @param {Range} range */
export function emptyStems({ channels, length }, stems, range) {
  return stems.map((name) => new Track(name, channels, length, hopFor(length), range));
}

/** The fraction of a song that is separated. @param {Song} song */
export function separatedPart({ stems: [stem], format }) {
  return format && stem ? (stem.available - stem.begin) / format.length : 0;
}
