/**
 * The songs of which a file consists, each as a blob that the demuxer reads to its end: Ogg is chained, MP3 is joined,
 * and streams of both are saved with junk in between, at which it would stop.
 */

import { ADTS, MP3, OGG } from "../../vendor/mediabunny/mediabunny.mjs";
import { mpegStreams } from "./mpeg-frames.js";
import { oggLinks } from "./ogg-links.js";

/**
 * @param {Blob} file
 * @param {import("../../vendor/mediabunny/mediabunny.mjs").InputFormat | null} format null when the demuxer knows none
 * @returns {Promise<Blob[]>} empty when there is none
 */
export async function links(file, format) {
  if (format === OGG) return oggLinks(file);
  return format === null || format === MP3 || format === ADTS ? mpegStreams(file) : [file];
}
