/** Plans of exports: the files, their names, the gains of the stems in each, and the choices in the dialog. */

import { joinedName, legalName, uniqueNames } from "../base/names.js";
import { stemInfo } from "../platform/models.js";
import { recallRecord, remember } from "../platform/preferences.js";
import { sideGains, toGain } from "../playback/page/gains.js";
import { audioOf } from "./song-audio.js";

/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("../export/protocol.js").Coding} Coding */
/** @typedef {import("../export/protocol.js").MixMeasurement} MixMeasurement */
/** @typedef {import("../export/protocol.js").Part} Part */
/** @typedef {import("../export/protocol.js").Plan} Plan */
/** @typedef {import("../platform/models.js").Catalogue} Catalogue */
/** @typedef {import("./song.js").Song} Song */

/**
 * @typedef {object} ExportChoice choices in the dialog
 * @property {"mix" | "all" | "stem" | "stems-file"} what
 * @property {string} stem for `what` = `stem`
 * @property {Coding} coding
 * @property {string} pattern of the files' names
 */

/** @typedef {(part: string) => string} Label text for a stem, or for `mix` */
/** @typedef {typeof DEFAULT_CHOICES} RememberedChoices */

/** Stems files have four stems, for four faders. */
const STEMS_FILE_STEMS = 4;

/** Rates in Hz and channels that MP3 and AAC offer. */
const MP3_RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
const AAC_RATES = [...MP3_RATES, 64_000, 88_200, 96_000];
const STEREO = 2;

const DEFAULT_PATTERN = "{song} - {part}";

const CHOICES_KEY = "export";
/** The values that the dialog offers for each choice. */
export const CHOICES = Object.freeze({
  what: ["mix", "all", "stem", "stems-file"],
  format: ["wav", "flac", "mp3"],
  bits: ["16", "24", "32"],
  bitrate: ["128", "160", "192", "256", "320"],
});

const DEFAULT_CHOICES = { what: "mix", format: "wav", bits: "24", bitrate: "320", pattern: DEFAULT_PATTERN };

const PART = "{part}";

/** Typical size of FLAC, relative to its samples. */
const FLAC_SHARE = 0.6;

/** True when a song can be written as MP3. @param {Song} song */
export function fitsMp3({ format }) {
  return format !== null && format.channels <= STEREO && MP3_RATES.includes(format.rate);
}

/** True when a song can be written as a Stems file. @param {Song} song */
export function fitsStemsFile({ format, stems }) {
  if (!format || stems.length !== STEMS_FILE_STEMS) return false;
  return format.channels <= STEREO && AAC_RATES.includes(format.rate);
}

/** Gains of the mix by stem and channel, as the mixer applies them. @param {Song} song */
export function mixGains({ desk, stems, format }) {
  const strips = stems.map(({ name }) => desk.strips[name]);
  const panned = strips.some(({ pan }) => pan !== 0);
  const length = Math.max(panned ? STEREO : 1, format?.channels ?? 0); // panning makes one channel two
  return sideGains(strips).map((sides) => Array.from({ length }, (_, channel) => sides[channel % STEREO]));
}

/** Gain of the master fader. @param {Song} song */
const masterGain = ({ desk }) => toGain(desk.master);

/** The stems as the exporter reads them. @param {Song} song @returns {StoredAudio[]} */
export function stemAudio({ stems, format }) {
  return format ? stems.map(({ pieces }) => ({ ...format, folder: null, pieces })) : [];
}

/** The song as the exporter reads it. @param {Song} song @returns {StoredAudio | null} */
export function songAudio(song) {
  const audio = audioOf(song);
  return audio && { ...audio, folder: null };
}

/**
 * Highest sample of all files; 1 is full scale.
 * @param {Song} song
 * @param {ExportChoice} choice
 * @param {MixMeasurement} measurement
 */
export function peakOf(song, { what, stem }, measurement) {
  const { stems } = song;
  if (what === "mix") return masterGain(song) * measurement.mix;
  const chosen = measurement.stems.filter((_, index) => what !== "stem" || stems[index].name === stem);
  return Math.max(...chosen);
}

/** Attenuation in dB that prevents clipping, in whole tenths. @param {number} peak */
export function loweringFor(peak) {
  return peak > 1 ? Math.ceil(200 * Math.log10(peak)) / 10 : 0;
}

/** True when a coding loses samples beyond full scale. @param {Coding} coding */
export function clips(coding) {
  return !(coding.kind === "wav" && coding.bits === 32);
}

/**
 * @param {Song} song
 * @param {ExportChoice} choice
 * @param {number} lowering in dB
 * @param {Label} label
 * @param {Catalogue} catalogue
 * @returns {{ plan: Plan, name: string, bytes: number }} `name` of the file to save and its approximate size
 */
export function planFor(song, choice, lowering, label, catalogue) {
  const lowered = 10 ** (-lowering / 20);
  const { what, coding, pattern } = choice;
  const master = what === "mix" ? masterGain(song) : 1;
  const parts = partsOf(song, choice, label).map((part) => ({ ...part, gain: master * lowered }));
  /** @type {Plan["form"]} */
  const form = what === "all" ? "archive" : what === "stems-file" ? "stems" : "file";
  const name = {
    archive: () => fileName(pattern, song, "stems", "zip"),
    stems: () => fileName(pattern, song, "", "stem.mp4"),
    file: () => parts[0].name,
  }[form]();
  const plan = {
    form,
    folder: legalName(song.name) || "stems",
    stems: stemAudio(song),
    parts,
    coding,
    tags: song.tags,
    labels: song.stems.map(({ name }) => ({ name: label(name), color: stemInfo(catalogue, name).colour })),
  };
  return { plan, name, bytes: parts.length * bytesOf(song, coding) };
}

/** Title of a part for its tags. @param {Song} song @param {string} label of the part */
export function titleOf({ tags, name }, label) {
  return `${tags.title ?? name} (${label})`;
}

/** @param {Song} song @param {ExportChoice} choice @param {Label} label @returns {Omit<Part, "gain">[]} */
function partsOf(song, { what, stem, coding, pattern }, label) {
  const channels = song.format?.channels ?? 0;
  const title = (/** @type {string} */ part) => titleOf(song, label(part));
  const name = (/** @type {string} */ part) => fileName(pattern, song, part, coding.kind);
  const ofStem = (/** @type {string} */ part) => stemFileName(pattern, song, part, coding.kind);
  const alone = (/** @type {string} */ part) =>
    song.stems.map((each) => Array(channels).fill(each.name === part ? 1 : 0));
  if (what === "mix") return [{ name: name("mix"), title: title("mix"), gains: mixGains(song) }];
  if (what === "stem") return [{ name: ofStem(stem), title: title(stem), gains: alone(stem) }];
  const names = uniqueNames(
    song.stems.map((each) => ofStem(each.name)),
    `.${coding.kind}`,
  );
  const stems = song.stems.map((each, index) => ({
    name: names[index],
    gains: alone(each.name),
    part: each.name,
  }));
  if (what === "all") return stems.map(({ part, ...file }) => ({ ...file, title: title(part) }));
  // Players without stems play the first track.
  const whole = song.stems.map(() => Array(channels).fill(1));
  const mix = { name: name("mix"), title: label("mix"), gains: whole };
  return [mix, ...stems.map(({ part, ...file }) => ({ ...file, title: label(part) }))];
}

/** Approximate size of one part. @param {Song} song @param {Coding} coding */
function bytesOf({ format, duration }, coding) {
  if (coding.kind === "mp3" || coding.kind === "aac") return (duration * coding.bitrate) / 8;
  const bytes = (duration * (format?.rate ?? 0) * (format?.channels ?? 0) * coding.bits) / 8;
  return coding.kind === "flac" ? FLAC_SHARE * bytes : bytes;
}

/** The choices of the last export; what no version of the dialog offers is left out. @returns {RememberedChoices} */
export function recallChoices() {
  const record = recallRecord(CHOICES_KEY);
  const offered = Object.entries(CHOICES).filter(([name, values]) => values.includes(record[name]));
  const chosen = Object.fromEntries(offered.map(([name]) => [name, record[name]]));
  const { pattern } = record;
  return { ...DEFAULT_CHOICES, ...chosen, ...(typeof pattern === "string" ? { pattern } : {}) };
}

/** @param {RememberedChoices} choices */
export function rememberChoices(choices) {
  remember(CHOICES_KEY, JSON.stringify(choices));
}

/** True when files that are named by a pattern tell which part of the song they hold. @param {string} pattern */
export function namesPart(pattern) {
  return pattern.trim() === "" || pattern.includes(PART);
}

/** The pattern with `{part}`, so that stems have names of their own. @param {string} pattern */
export function withPart(pattern) {
  return namesPart(pattern) ? pattern : `${pattern.trim()} - ${PART}`;
}

/** The name of a stem's file. @param {string} pattern @param {Song} song @param {string} stem @param {string} extension */
export function stemFileName(pattern, song, stem, extension) {
  return fileName(withPart(pattern), song, stem, extension);
}

/**
 * The name of a file, from a pattern with `{song}`, `{artist}`, `{title}`, `{album}` and `{part}`.
 * @param {string} pattern the default when empty
 * @param {Song} song
 * @param {string} part a stem, `mix`, `stems`, or empty
 * @param {string} extension
 */
export function fileName(pattern, { name, tags }, part, extension) {
  const { title = name, artist = "", album = "" } = tags;
  /** @type {Record<string, string>} */
  const values = { song: name, title, artist, album, part };
  const pieces = (pattern.trim() || DEFAULT_PATTERN).split(/(\{\w+\})/);
  const texts = pieces.map((piece) => {
    const field = piece.slice(1, -1);
    return piece.startsWith("{") && Object.hasOwn(values, field) ? values[field] : piece;
  });
  const ending = `.${extension}`;
  return joinedName(texts, pieces.indexOf(PART), ending) || legalName(name, ending) || `stems${ending}`;
}
