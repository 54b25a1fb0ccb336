/** Tags of exported files, as each format keeps them. */

import { joined } from "../base/buffers.js";
import { dateOf } from "../library/tags.js";

/** @typedef {import("../library/tags.js").Tags} Tags */
/** @typedef {import("../vendor/mediabunny/mediabunny.mjs").MetadataTags} MetadataTags */
/** @typedef {import("./protocol.js").Coding} Coding */

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const UTF8 = 3;

/** Names in a RIFF's INFO list, whose encoding no standard tells; most programs write UTF-8. */
const INFO = /** @type {const} */ ({
  INAM: "title",
  IART: "artist",
  IPRD: "album",
  IGNR: "genre",
  ICRD: "date",
  ICMT: "comment",
  ITRK: "track",
});

const ID3 = /** @type {const} */ ({
  TIT2: "title",
  TPE1: "artists",
  TALB: "album",
  TPE2: "albumArtist",
  TCON: "genre",
  TDRC: "date",
  TRCK: "track",
  TPOS: "disc",
});

/**
 * Tags for mediabunny. Dates and several artists go past it: it would make a year the first of January, and knows one
 * artist.
 * @param {Tags} tags of the song
 * @param {string} title
 * @param {Coding["kind"]} kind
 * @returns {MetadataTags}
 */
export function containerTags(tags, title, kind) {
  const { artists, date, ...plain } = definedTags({ ...tags, title });
  /** @type {NonNullable<MetadataTags["raw"]>} */
  const raw = {};
  const key = { mp3: "TDRC", flac: "DATE", aac: "\u00a9day", wav: "" }[kind];
  if (date) raw[key] = date;
  if (!artists || kind === "aac") return { ...plain, raw };
  const { artist: _, ...others } = plain;
  if (kind === "flac") return { ...others, raw: { ...raw, ARTIST: artists } };
  return { ...others, raw: { ...raw, TPE1: id3Text(artists) } };
}

/**
 * Chunks for the end of a WAV file: an INFO list, which every program reads, and an ID3 tag, which tells its encoding.
 * @param {Tags} tags of the song
 * @param {string} title
 * @returns {Bytes} of an even length; empty without tags
 */
export function wavTags(tags, title) {
  const { trackNumber, tracksTotal, discNumber, discsTotal, comment, artist, artists, ...texts } =
    definedTags({
      ...tags,
      title,
    });
  const values = {
    ...texts,
    artist,
    artists: artists ?? artist,
    comment,
    track: numbered(trackNumber, tracksTotal),
    disc: numbered(discNumber, discsTotal),
  };
  const info = Object.entries(INFO).flatMap(([id, name]) => {
    const value = values[name];
    return value ? [chunk(id, utf8(`${value}\0`))] : [];
  });
  const frames = Object.entries(ID3).flatMap(([id, name]) => {
    const value = values[name];
    return value ? [frame(id, id3Text([value].flat()))] : [];
  });
  if (comment) frames.push(frame("COMM", joined([Uint8Array.of(UTF8), latin1("und\0"), utf8(comment)])));
  const body = joined(frames);
  const id3 = joined([latin1("ID3\x04\0\0"), synchsafe(body.length), body]);
  return joined([chunk("LIST", joined([latin1("INFO"), ...info])), chunk("id3 ", id3)]);
}

/** The tags that are there, with a date of which no time is left. @param {Tags} tags */
function definedTags({ date, ...tags }) {
  const day = dateOf(date ?? "");
  const entries = Object.entries({ ...tags, ...(day ? { date: day } : {}) });
  return /** @type {Tags} */ (Object.fromEntries(entries.filter(([, value]) => value !== undefined)));
}

/** @param {number} [number] @param {number} [total] */
function numbered(number, total) {
  if (!number) return "";
  return total ? `${number}/${total}` : `${number}`;
}

/** The content of a text frame of ID3v2.4. @param {string[]} values */
function id3Text(values) {
  return joined([Uint8Array.of(UTF8), utf8(values.join("\0"))]);
}

/** @param {string} id @param {Bytes} content */
function frame(id, content) {
  return joined([latin1(id), synchsafe(content.length), new Uint8Array(2), content]);
}

/** A chunk of RIFF, padded to an even length. @param {string} id @param {Bytes} content */
function chunk(id, content) {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, content.length, true);
  return joined([latin1(id), size, content, new Uint8Array(content.length % 2)]);
}

/** A number below 2 ** 28 as four times seven bits. @param {number} value */
function synchsafe(value) {
  return Uint8Array.of((value >> 21) & 127, (value >> 14) & 127, (value >> 7) & 127, value & 127);
}

/** @param {string} text */
function latin1(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** @param {string} text */
function utf8(text) {
  return new TextEncoder().encode(text);
}
