/** Reads a song's tags, such as title and artist, which are shown and copied to exported files. */

import { dateOf } from "../../library/tags.js";
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
import { bytesAt, iffChunks, textAt } from "./file-bytes.js";
import { readId3 } from "./id3.js";

/** @typedef {import("../../library/tags.js").Tags} Tags */

const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, FLAC, MP3, ADTS, WAVE];

/** Where the formats keep the date as it was written. */
const RAW_DATES = ["DATE", "YEAR", "\u00a9day", "DATE_RELEASED", "date", "rldt"];

/** Characters; some files hold nonsense. */
const MAX_LENGTH = 200;

/** Names of texts in a RIFF's INFO list, and those of an AIFF file. @type {Record<string, keyof Tags>} */
const CHUNKS = {
  INAM: "title",
  IART: "artist",
  IPRD: "album",
  IGNR: "genre",
  ICMT: "comment",
  ICRD: "date",
  NAME: "title",
  AUTH: "artist",
  ANNO: "comment",
};

/**
 * @param {Blob} file
 * @returns {Promise<Tags>} empty when there are none, or they cannot be read
 */
export async function readTags(file) {
  const readers = [containerTags, chunkTags, leadingTags];
  const found = await Promise.all(readers.map((read) => read(file).catch(() => ({})))); // a song without tags is a song
  return Object.assign({}, ...found);
}

/** Tags as mediabunny reads them. No pictures and lyrics, which may be larger than everything else. @param {Blob} file */
async function containerTags(file) {
  const input = new Input({ formats: FORMATS, source: new BlobSource(file) });
  try {
    const {
      title,
      artist,
      album,
      albumArtist,
      genre,
      comment,
      date,
      raw = {},
      ...rest
    } = await input.getMetadataTags();
    const { trackNumber, discNumber } = rest;
    const total = (/** @type {string} */ key) => number(String(raw[key] ?? ""));
    const day = RAW_DATES.map((key) => [raw[key]].flat()[0]).find((value) => typeof value === "string");
    return tagsOf({
      title: [title],
      artist: Array.isArray(raw.ARTIST) ? /** @type {string[]} */ (raw.ARTIST) : [artist],
      album: [album],
      albumArtist: [albumArtist],
      genre: [genre],
      comment: [comment],
      date: [day ?? date?.toISOString().replace(/-01-01T.*/, "")], // a bare year has become its first day
      trackNumber,
      tracksTotal: rest.tracksTotal ?? total("TOTALTRACKS"),
      discNumber,
      discsTotal: rest.discsTotal ?? total("TOTALDISCS"),
    });
  } finally {
    input.dispose();
  }
}

/** Tags in chunks of WAV and AIFF files; those of ID3 have every script. @param {Blob} file */
async function chunkTags(file) {
  const head = await bytesAt(file, 0, 12);
  const form = textAt(head, 0, 4);
  if (!["RIFF", "RIFX", "RF64", "BW64", "FORM"].includes(form)) return {};
  const little = form !== "FORM" && form !== "RIFX";
  /** @type {Tags} */
  let id3 = {};
  /** @type {Record<string, string>} */
  const texts = {};
  for await (const { id, start, size } of iffChunks(file, little)) {
    if (id.toUpperCase() === "ID3 ") id3 = id3Tags(await readId3(file, start));
    else if (id === "LIST") Object.assign(texts, await infoTexts(file.slice(start, start + size), little));
    else if (Object.hasOwn(CHUNKS, id))
      texts[id] = textOf(await bytesAt(file, start, Math.min(size, 4 * MAX_LENGTH)));
  }
  const named = Object.keys(CHUNKS).flatMap((id) => (texts[id] ? [[CHUNKS[id], [texts[id]]]] : []));
  const [track, tracksTotal] = pair(texts.ITRK ?? texts.IPRT);
  return { ...tagsOf({ ...Object.fromEntries(named), trackNumber: track, tracksTotal }), ...id3 };
}

/** Texts by their names. @param {Blob} list @param {boolean} little */
async function infoTexts(list, little) {
  /** @type {Record<string, string>} */
  const texts = {};
  if (textAt(await bytesAt(list, 0, 4), 0, 4) !== "INFO") return texts;
  // `iffChunks` begins behind the twelve bytes of a file's header; a list has four.
  for await (const { id, start, size } of iffChunks(new Blob([new Uint8Array(8), list]), little)) {
    if (Object.hasOwn(CHUNKS, id) || id === "ITRK" || id === "IPRT")
      texts[id] = textOf(await bytesAt(list, start - 8, Math.min(size, 4 * MAX_LENGTH)));
  }
  return texts;
}

/** A text in UTF-8, or in Latin-1 when it is not that; the format does not tell. @param {DataView<ArrayBuffer>} bytes */
function textOf(bytes) {
  const end = new Uint8Array(bytes.buffer).indexOf(0);
  const text = end < 0 ? bytes : new DataView(bytes.buffer, 0, end);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch {
    return new TextDecoder("windows-1252").decode(text);
  }
}

/** Tags at the beginning of MP3 and bare AAC files, each artist by itself. @param {Blob} file */
async function leadingTags(file) {
  return id3Tags(await readId3(file, 0));
}

/** @param {Map<string, string[]>} frames @returns {Tags} */
function id3Tags(frames) {
  if (frames.size === 0) return {};
  const first = (/** @type {string} */ id) => frames.get(id)?.[0];
  const [year, dayMonth] = [first("TYER"), first("TDAT")];
  const day = dayMonth?.match(/^(\d\d)(\d\d)$/);
  const [trackNumber, tracksTotal] = pair(first("TRCK"));
  const [discNumber, discsTotal] = pair(first("TPOS"));
  const tags = tagsOf({
    title: frames.get("TIT2"),
    artist: frames.get("TPE1"),
    album: frames.get("TALB"),
    albumArtist: frames.get("TPE2"),
    genre: frames.get("TCON")?.filter((genre) => !/^\(?\d+\)?/.test(genre)), // a number of mediabunny's list
    comment: frames.get("COMM"),
    date: [first("TDRC") ?? (year && day ? `${year}-${day[2]}-${day[1]}` : year)],
    trackNumber,
    tracksTotal,
    discNumber,
    discsTotal,
  });
  return { comment: undefined, ...tags }; // mediabunny takes a program's note for one
}

/**
 * Tags of values that may be missing.
 * @param {Record<string, (string | undefined)[] | number | undefined>} values
 * @returns {Tags}
 */
function tagsOf({ artist, date, ...others }) {
  const artists = tidied(artist);
  /** @type {Record<string, unknown>} */
  const tags = {};
  if (artists.length > 0) tags.artist = artists.join(", ");
  if (artists.length > 0) tags.artists = artists.length > 1 ? artists : undefined;
  const day = dateOf(tidied(date)[0] ?? "");
  if (day) tags.date = day;
  for (const [name, value] of Object.entries(others)) {
    if (typeof value === "number" && value > 0) tags[name] = value;
    else if (Array.isArray(value) && tidied(value).length > 0) tags[name] = tidied(value).join(", ");
  }
  return tags;
}

/** @param {(string | undefined)[] | number | undefined} values */
function tidied(values) {
  const texts = Array.isArray(values) ? values : [];
  const tidy = texts.map((text) => Array.from((text ?? "").replaceAll("\0", "").trim()).slice(0, MAX_LENGTH));
  return [...new Set(tidy.map((characters) => characters.join("")).filter(Boolean))];
}

/** Both numbers of `3/12`. @param {string | undefined} text */
function pair(text) {
  return (text ?? "").split("/", 2).map(number);
}

/** @param {string} text */
function number(text) {
  const value = Number.parseInt(text, 10);
  return value > 0 ? value : undefined;
}
