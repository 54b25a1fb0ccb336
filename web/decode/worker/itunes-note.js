/** iTunes' gapless note, a text of hexadecimal numbers in the tags of M4A and MP3 files. */

/** Name of the tag. */
export const NOTE = "iTunSMPB";

/**
 * @param {string} text
 * @returns {{ delay: number, padding: number, length: number } | null} in samples; null when the text is no such note
 */
export function parseNote(text) {
  const fields = text
    .trim()
    .split(/\s+/)
    .map((field) => Number.parseInt(field, 16));
  const [, delay, padding, length] = fields;
  return delay >= 0 && padding >= 0 && length > 0 ? { delay, padding, length } : null;
}
