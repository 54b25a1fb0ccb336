/** What a file says of its song: title, artist and the like, to be carried over to what is made of it. */

import { ALL_FORMATS, BlobSource, Input } from "../vendor/mediabunny/mediabunny.mjs";

/** @typedef {import("../export/messages.js").Tags} Tags */

/** No pictures and no lyrics: these may be larger than all else that is known of a song. */
const TEXTS = /** @type {const} */ (["title", "artist", "album", "albumArtist", "genre", "comment"]);

/**
 * @param {Blob} file
 * @returns {Promise<Tags>} empty where there are none, or none that can be read
 */
export async function readTags(file) {
  const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
  try {
    const { date, trackNumber, ...found } = await input.getMetadataTags();
    const texts = TEXTS.flatMap((name) => (found[name] ? [[name, found[name]]] : []));
    return {
      ...Object.fromEntries(texts),
      ...(date ? { date: date.toISOString() } : {}),
      ...(trackNumber ? { trackNumber } : {}),
    };
  } catch {
    return {};
  } finally {
    input.dispose();
  }
}
