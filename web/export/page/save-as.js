/** Where a file goes that the page makes: where the person picks, if the browser asks, and else to the downloads. */

/** @type {Record<string, string>} */
const TYPES = {
  wav: "audio/wav",
  flac: "audio/flac",
  mp3: "audio/mpeg",
  mp4: "audio/mp4",
  zip: "application/zip",
};

/** Nobody dismisses a dialog within so short a time: it was never shown, as in browsers without a window. */
const SHOWN_MS = 500;

/**
 * The file that the person picks. To be called while the press of a button still counts.
 * @param {string} name
 * @returns {Promise<FileSystemFileHandle | null | "dismissed">} nothing where the browser does not let one be picked
 */
export async function pick(name) {
  const picker = /** @type {any} */ (globalThis).showSaveFilePicker;
  if (!picker) return null;
  const ending = name.slice(name.lastIndexOf("."));
  const asked = performance.now();
  try {
    return await picker({ suggestedName: name, types: [{ accept: { [typeOf(name)]: [ending] } }] });
  } catch (reason) {
    const aborted = reason instanceof DOMException && reason.name === "AbortError";
    return aborted && performance.now() - asked > SHOWN_MS ? "dismissed" : null;
  }
}

/** @param {string} name */
export function typeOf(name) {
  return TYPES[name.slice(name.lastIndexOf(".") + 1)];
}
