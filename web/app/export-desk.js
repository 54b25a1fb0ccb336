/** The export dialog's work: measures a song when the dialog opens, then writes what is chosen. */

import { Exporter } from "../export/client.js";
import { removePicked } from "../library/opfs.js";
import { dropScratch, newScratch } from "../library/scratch.js";
import { save } from "../media/save.js";
import { describe } from "./errors.js";
import { mixGains, songAudio, stemAudio } from "./export-plan.js";

/** @typedef {import("../engine/protocol.js").ErrorData} ErrorData */
/** @typedef {import("../export/messages.js").Levels} Levels */
/** @typedef {import("../export/messages.js").Plan} Plan */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */

/**
 * @typedef {object} ExportState
 * @property {Song} song
 * @property {number} measured fraction
 * @property {Levels | null} levels once all is measured
 * @property {{ name: string, fraction: number, secondsLeft: number | null } | null} writing
 * @property {{ name: string, clipped: number } | null} written
 * @property {ErrorData | null} error
 */

/** So long a browser may take to copy a download out of the storage. */
const DOWNLOAD_MS = 600_000;

/** A time left is told once this much is done. */
const TELLING = 0.02;

/** @type {Record<string, string>} */
const TYPES = {
  wav: "audio/wav",
  flac: "audio/flac",
  mp3: "audio/mpeg",
  mp4: "audio/mp4",
  zip: "application/zip",
};

const now = () => performance.now() / 1000;

export class ExportDesk {
  #store;
  /** @type {Exporter | null} */
  #exporter = null;

  /** @param {import("../ui/store.js").Store<PageState>} store */
  constructor(store) {
    this.#store = store;
  }

  /** @param {Song} song */
  open(song) {
    this.#exporter = new Exporter();
    this.#store.set({
      export: { song, measured: 0, levels: null, writing: null, written: null, error: null },
    });
    void this.#measure(song);
  }

  close() {
    this.#exporter?.end();
    this.#exporter = null;
    this.#store.set({ export: null });
  }

  /** Stops writing; the dialog stays. */
  cancel() {
    this.#exporter?.end();
  }

  /**
   * To be called while the press of the button still counts: the browser asks where to save the file.
   * @param {Plan} plan
   * @param {string} name
   */
  async write(plan, name) {
    const exporter = this.#exporter;
    const picked = await pick(name);
    if (!exporter || picked === "dismissed") return;
    this.#change({ writing: { name, fraction: 0, secondsLeft: null }, written: null, error: null });
    const fresh = picked !== null && (await picked.getFile()).size === 0;
    const scratch = await newScratch();
    /** @type {Blob | null} */
    let kept = null;
    try {
      const report = this.#reporter(name);
      const { blob, clipped } = await exporter.write(plan, { picked, scratch }, report);
      kept = blob;
      if (blob) save(new File([blob], name, { type: typeOf(name) }), name);
      this.#change({ writing: null, written: { name: picked?.name ?? name, clipped } });
    } catch (reason) {
      const error = describe(reason);
      this.#change({ writing: null, error: error.code === "cancelled" ? null : error });
      if (fresh) await removePicked(picked); // made by picking it, and still empty
    }
    setTimeout(() => void dropScratch(scratch), kept ? DOWNLOAD_MS : 0);
    const { levels, song } = this.#store.state.export ?? {};
    if (song && !levels) void this.#measure(song); // it had to give way
  }

  /** @param {Song} song */
  async #measure(song) {
    const audio = songAudio(song);
    if (!audio) return;
    try {
      const report = (/** @type {number} */ measured) => this.#change({ measured });
      const levels = await this.#exporter?.measure(audio, stemAudio(song), mixGains(song), report);
      this.#change({ levels: levels ?? null });
    } catch (reason) {
      const error = describe(reason);
      if (error.code !== "cancelled") this.#change({ error });
    }
  }

  /** @param {string} name */
  #reporter(name) {
    const begun = now();
    return (/** @type {number} */ fraction) => {
      const elapsed = now() - begun;
      const secondsLeft = fraction < TELLING ? null : (elapsed / fraction) * (1 - fraction);
      this.#change({ writing: { name, fraction, secondsLeft } });
    };
  }

  /** @param {Partial<ExportState>} changes */
  #change(changes) {
    const { export: state } = this.#store.state;
    if (state) this.#store.set({ export: { ...state, ...changes } });
  }
}

/**
 * The file that the person picks, where the browser lets one be picked.
 * @param {string} name
 * @returns {Promise<FileSystemFileHandle | null | "dismissed">}
 */
async function pick(name) {
  const picker = /** @type {any} */ (globalThis).showSaveFilePicker;
  if (!picker) return null;
  const ending = name.slice(name.lastIndexOf("."));
  try {
    return await picker({ suggestedName: name, types: [{ accept: { [typeOf(name)]: [ending] } }] });
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "AbortError") return "dismissed";
    return null; // not allowed here: it is downloaded
  }
}

/** @param {string} name */
function typeOf(name) {
  return TYPES[name.slice(name.lastIndexOf(".") + 1)];
}
