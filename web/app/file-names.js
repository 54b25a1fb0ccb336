/** Names of files, from a pattern with `{song}`, `{artist}`, `{title}`, `{album}` and `{part}` in it. */

/** @typedef {import("./song.js").Song} Song */

export const DEFAULT_PATTERN = "{song} - {part}";

/** What one system or another does not take in a name. */
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}]/gu;

const LONGEST = 180;

/**
 * @param {string} pattern an empty one is the default
 * @param {Song} song
 * @param {string} part a stem, `mix`, `stems`, or nothing
 * @param {string} ending
 */
export function fileName(pattern, { name, tags }, part, ending) {
  const { title = name, artist = "", album = "" } = tags;
  /** @type {Record<string, string>} */
  const values = { song: name, title, artist, album, part };
  const filled = (pattern.trim() || DEFAULT_PATTERN).replace(
    /\{(\w+)\}/g,
    (hole, key) => values[key] ?? hole,
  );
  return `${tidy(filled) || tidy(name) || "stems"}.${ending}`;
}

/** Without what may not be in a name, and without the dashes of what was empty. @param {string} text */
function tidy(text) {
  return text
    .replace(FORBIDDEN, "_")
    .replace(/\s+/g, " ")
    .replace(/^[\s.-]+|[\s.-]+$/g, "")
    .replace(/( - )+/g, " - ")
    .slice(0, LONGEST);
}
