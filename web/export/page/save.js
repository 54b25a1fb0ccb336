/** Saves a file where the user picks, or with the browser's downloads. */

/** @type {Record<string, string>} */
const TYPES = {
  wav: "audio/wav",
  flac: "audio/flac",
  mp3: "audio/mpeg",
  mp4: "audio/mp4",
  zip: "application/zip",
};

/** Time for the browser to begin reading a download. */
const URL_LIFETIME_MS = 60_000;

/**
 * Chromium reports a dialog that it cannot show, as without a window, exactly as one that was dismissed: `AbortError` with
 * the same message. Only the time distinguishes them: no one can read and dismiss a dialog this fast.
 */
const DISMISSAL_MS = 500;

/**
 * Lets the user pick a file to write. Needs the user activation of a click.
 * @param {string} name
 * @returns {Promise<FileSystemFileHandle | null | "dismissed">} null when the browser cannot ask
 */
export async function pick(name) {
  const picker = /** @type {any} */ (globalThis).showSaveFilePicker;
  if (!picker) return null;
  const ending = name.slice(name.lastIndexOf("."));
  const begin = performance.now();
  try {
    return await picker({ suggestedName: name, types: [{ accept: { [typeOf(name)]: [ending] } }] });
  } catch (reason) {
    const aborted = reason instanceof DOMException && reason.name === "AbortError";
    return aborted && performance.now() - begin > DISMISSAL_MS ? "dismissed" : null;
  }
}

/** @param {string} name */
export function typeOf(name) {
  return TYPES[name.slice(name.lastIndexOf(".") + 1)];
}

/**
 * Saves a file with the browser's downloads.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), URL_LIFETIME_MS);
}
