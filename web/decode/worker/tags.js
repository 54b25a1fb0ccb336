/** Reads a song's tags, such as title and artist, which are shown and copied to exported files. */

import {
  ADTS,
  BlobSource,
  FLAC,
  Input,
  MATROSKA,
  MP3,
  MP4,
  OGG,
  QTFF,
  WAVE,
  WEBM,
} from "../../vendor/mediabunny/mediabunny.mjs";

/** @typedef {import("../../library/songs.js").Tags} Tags */

const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, FLAC, MP3, ADTS, WAVE];

/** No pictures and lyrics, which may be larger than everything else about a song. */
const TEXTS = /** @type {const} */ (["title", "artist", "album", "albumArtist", "genre", "comment"]);

/** Characters; some files hold nonsense. */
const MAX_LENGTH = 200;

/**
 * @param {Blob} file
 * @returns {Promise<Tags>} empty when there are none, or they cannot be read
 */
export async function readTags(file) {
  const input = new Input({ formats: FORMATS, source: new BlobSource(file) });
  try {
    const { date, trackNumber, ...found } = await input.getMetadataTags();
    const texts = TEXTS.map((name) => text(name, found[name]));
    const day = date && Number.isFinite(date.getTime()) ? { date: date.toISOString() } : {};
    return Object.assign({}, ...texts, day, trackNumber ? { trackNumber } : {});
  } catch {
    return {}; // a song without tags is a song
  } finally {
    input.dispose();
  }
}

/** @param {keyof Tags} name @param {string | undefined} value @returns {Tags} */
function text(name, value) {
  const trimmed = value?.replaceAll("\0", "").trim().slice(0, MAX_LENGTH);
  return trimmed ? { [name]: trimmed } : {};
}
