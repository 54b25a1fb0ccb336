/** Tags of songs: the texts that are shown, and copied to exported files. */

/**
 * @typedef {object} Tags as in the song's file
 * @property {string} [title]
 * @property {string} [artist] all artists in one text
 * @property {string[]} [artists] each of them, when there are several
 * @property {string} [album]
 * @property {string} [albumArtist]
 * @property {string} [genre]
 * @property {string} [comment]
 * @property {string} [date] `2003`, `2003-05` or `2003-05-17`, as precise as it was
 * @property {number} [trackNumber]
 * @property {number} [tracksTotal]
 * @property {number} [discNumber]
 * @property {number} [discsTotal]
 */

const DATE = /^(\d{4})(?:[-/.]?([01]\d)(?:[-/.]?([0-3]\d))?)?(?!\d)/;

/**
 * The date in a text, without a time: that of another time zone could be the next day.
 * @param {string} text
 * @returns {string} empty when there is none
 */
export function dateOf(text) {
  const [, year = text.match(/(?<!\d)\d{4}(?!\d)/)?.[0] ?? "", month, day] = text.trim().match(DATE) ?? [];
  const known = [year, month, day].findIndex((part) => !part || Number(part) === 0);
  return [year, month, day].slice(0, known < 0 ? 3 : known).join("-");
}
