/** Title, artist and the like, as a song's file has them: shown, and carried over to what is made of it. */

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

/** Neither pictures nor lyrics, which may be larger than all else that is known of a song. */
const TEXTS = /** @type {const} */ (["title", "artist", "album", "albumArtist", "genre", "comment"]);

/** No title is longer; some files hold nonsense. */
const LONGEST = 200;

/**
 * @param {Blob} file
 * @returns {Promise<Tags>} empty where there are none, or none that can be read
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
  const trimmed = value?.replaceAll("\0", "").trim().slice(0, LONGEST);
  return trimmed ? { [name]: trimmed } : {};
}
