/**
 * The songs of which a file consists, each as a blob that the demuxer reads to its end: Ogg is chained, MP3 is joined,
 * and streams of both are saved with junk in between, at which it would stop.
 */

import { ADTS, MATROSKA, MP3, OGG, WEBM } from "../../vendor/mediabunny/mediabunny.mjs";
import { wholeBlocks } from "./matroska-padding.js";
import { mpegStreams } from "./mpeg-frames.js";
import { oggLinks } from "./ogg-links.js";

/**
 * @typedef {object} Link
 * @property {Blob} file
 * @property {boolean} isCut true when pages or blocks of it are missing, or its last frame is not whole
 * @property {number} frames of an MP3, without a header; else 0
 * @property {Blob | null} header of an MP3, which is not among its frames
 */

/**
 * @param {Blob} file
 * @param {import("../../vendor/mediabunny/mediabunny.mjs").InputFormat | null} format null when the demuxer knows none
 * @returns {Promise<Link[]>} empty when there is none
 */
export async function links(file, format) {
  if (format === OGG) return oggLinks(file);
  if (format === MATROSKA || format === WEBM) return [await wholeBlocks(file)];
  return format === null || format === MP3 || format === ADTS
    ? mpegStreams(file)
    : [{ file, isCut: false, frames: 0, header: null }];
}
