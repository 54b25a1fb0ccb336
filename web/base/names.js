/**
 * Names of files and folders that Windows, macOS and Linux accept. `demixer.names` is the same rule for the command line;
 * `tests/names.json` has cases that both must agree on.
 */

/**
 * Most bytes of a name in UTF-8. File systems take 255. The rest is for numbers such as ` (2)`, and for what browsers and
 * the command line append while they write, such as `.crdownload`.
 */
export const LONGEST = 232;

/** Endings of files that may hold a song, by themselves or beside pictures. */
export const SONG_ENDINGS = Object.freeze(
  (
    "aac ac3 adts aif aifc aiff alac amr ape au caf flac m4a m4b mka mp2 mp3 oga ogg opus snd w64 wav wave weba wma wv " +
    "3gp avi m4v mkv mov mp4 mpeg mpg ogv ts webm wmv"
  ).split(" "),
);

/** Spaces, tabs and line breaks, all of which become one space. */
const SPACES = /[\t-\r \u0085\u2028\u2029]+/gu;

/** Refused by Windows, a separator somewhere, or no character at all. */
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}\p{Cs}\ufffe\uffff]/gu;

/** Reverse the text around them, so that a name could show another ending than it has. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/gu;

/** Windows drops dots and spaces at the end; dots at the beginning hide a file elsewhere. */
const EDGES = /^[ .]+|[ .]+$/gu;

/** Devices on Windows, with any ending. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³])$/iu;

/**
 * The name as every system accepts it.
 * @param {string} text
 * @param {string} [ending] with its dot; it is legal and kept
 * @returns {string} empty when nothing of the text is left
 */
export function legalName(text, ending = "") {
  const name = cut(unreserved(tidy(text)), LONGEST - bytesOf(ending)).replace(EDGES, "");
  return name && name + ending;
}

/**
 * A name joined from texts, of which the longest lose their last characters to make it fit.
 * @param {string[]} texts
 * @param {number} kept index of the text that is not cut; -1 without one
 * @param {string} ending with its dot
 */
export function joinedName(texts, kept, ending) {
  const parts = texts.map((text) => graphemes(text.normalize()));
  const sizes = texts.map((text, index) => (index === kept ? 0 : bytesOf(text.normalize())));
  for (;;) {
    const joined = tidy(parts.map((part) => part.join("")).join(""))
      .replace(LOOSE, "")
      .replace(DOUBLED, " - ");
    const longest = sizes.indexOf(Math.max(...sizes));
    if (bytesOf(joined + ending) <= LONGEST || !(sizes[longest] > 0)) return legalName(joined, ending);
    sizes[longest] -= bytesOf(/** @type {string} */ (parts[longest].pop()));
  }
}

/** Dashes that an empty field leaves at an end of a name, and two of them in a row. */
const LOOSE = /^ ?(?:- )+|(?: -)+ ?$|^-$/gu;
const DOUBLED = /(?: -)+ /gu;

/**
 * Legal names that differ on systems which ignore case and Unicode's forms; later ones are numbered.
 * @param {string[]} names
 * @param {string} [ending] that all of them have
 */
export function uniqueNames(names, ending = "") {
  const taken = new Set();
  return names.map((name) => {
    const stem = name.slice(0, name.length - ending.length);
    let unique = name;
    for (let number = 2; taken.has(folded(unique)); number += 1) {
      unique = `${stem} (${number})${ending}`;
    }
    taken.add(folded(unique));
    return unique;
  });
}

/** The name of a song: that of its file without the ending, if it has one. @param {string} file */
export function songName(file) {
  return isSongName(file) ? file.slice(0, file.lastIndexOf(".")) : file;
}

/** True when a file is named like one that may hold a song. @param {string} file */
export function isSongName(file) {
  const dot = file.lastIndexOf(".");
  return dot > 0 && SONG_ENDINGS.includes(file.slice(dot + 1).toLowerCase());
}

/** The characters of a text as a reader counts them. @param {string} text @returns {string[]} */
export function graphemes(text) {
  return Array.from(new Intl.Segmenter("und").segment(text), ({ segment }) => segment);
}

/** @param {string} text */
function tidy(text) {
  return text
    .replace(DIRECTIONS, "")
    .normalize()
    .replace(SPACES, " ")
    .replace(FORBIDDEN, "_")
    .replace(EDGES, "");
}

/** @param {string} name */
function unreserved(name) {
  return RESERVED.test(name.split(".")[0].replace(/ +$/, "")) ? `_${name}` : name;
}

/**
 * The beginning of a text, of whole graphemes.
 * @param {string} text
 * @param {number} limit in bytes of UTF-8
 */
function cut(text, limit) {
  if (bytesOf(text) <= limit) return text;
  let [kept, bytes] = ["", 0];
  for (const grapheme of graphemes(text)) {
    bytes += bytesOf(grapheme);
    if (bytes > limit) break;
    kept += grapheme;
  }
  return kept;
}

/** @param {string} text */
function bytesOf(text) {
  return new TextEncoder().encode(text).length;
}

/** @param {string} name */
function folded(name) {
  return name.normalize("NFD").toUpperCase().toLowerCase().normalize();
}
