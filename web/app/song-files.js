/** The songs among the files that came, in the order of their albums. */

import { isSongName } from "../base/names.js";
import { isHidden } from "../platform/dropped-files.js";

/** @typedef {import("../library/tags.js").Tags} Tags */
/** @typedef {import("../platform/dropped-files.js").FoundFile} FoundFile */

/** Audio by their type, but without sound: playlists and notes. */
const NO_SOUND = /mpegurl|scpls|midi/;

const natural = new Intl.Collator(undefined, { numeric: true }).compare;

/**
 * Files that were chosen one by one all count as songs, and keep their order: an error tells which are none.
 * @param {FoundFile[]} found
 * @param {(files: File[]) => Promise<Tags[]>} readTags
 * @returns {Promise<{ files: File[], passedOver: number }>} `passedOver` counts the other files in folders
 */
export async function songsAmong(found, readTags) {
  const single = found.filter(({ path }) => !path.includes("/"));
  const inFolders = found.filter(({ path }) => path.includes("/") && !path.split("/").some(isHidden));
  const songs = inFolders.filter(({ file }) => isSong(file));
  const tags = songs.length > 1 ? await readTags(songs.map(({ file }) => file)).catch(() => []) : [];
  const ordered = inAlbumOrder(songs.map((song, index) => ({ ...song, tags: tags[index] ?? {} })));
  const files = [...single, ...ordered].map(({ file }) => file);
  return { files, passedOver: inFolders.length - songs.length };
}

/** @param {File} file */
function isSong({ name, type }) {
  return isSongName(name) || (type.startsWith("audio/") && !NO_SOUND.test(type));
}

/**
 * One folder after another; within one, by disc and track where all songs are of one album, and by name otherwise.
 * @param {(FoundFile & { tags: Tags })[]} songs
 */
function inAlbumOrder(songs) {
  /** @type {Map<string, typeof songs>} */
  const folders = new Map();
  for (const song of songs) {
    const folder = song.path.slice(0, song.path.lastIndexOf("/"));
    folders.set(folder, [...(folders.get(folder) ?? []), song]);
  }
  const sorted = [...folders].sort(([one], [other]) => comparePaths(one, other));
  return sorted.flatMap(([, inFolder]) => {
    const isAlbum = new Set(inFolder.map(({ tags }) => tags.album)).size === 1;
    return inFolder.sort(
      (one, other) => (isAlbum && byTrack(one.tags, other.tags)) || natural(one.path, other.path),
    );
  });
}

/** @param {Tags} one @param {Tags} other */
function byTrack(one, other) {
  const disc = (one.discNumber ?? 1) - (other.discNumber ?? 1);
  return (
    disc || (one.trackNumber ?? Number.MAX_SAFE_INTEGER) - (other.trackNumber ?? Number.MAX_SAFE_INTEGER)
  );
}

/** Folder by folder: `A/1` comes before `A 2`. @param {string} one @param {string} other */
function comparePaths(one, other) {
  const [left, right] = [one.split("/"), other.split("/")];
  const at = left.findIndex((name, index) => name !== right[index]);
  return at < 0 || at >= right.length ? left.length - right.length : natural(left[at], right[at]);
}
