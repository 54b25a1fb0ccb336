/** Measures songs and writes files from their stems, for the export dialog and for the desk. */

import { cancelled, describe } from "../base/errors.js";
import { Exporter } from "../export/page/client.js";
import { pick, save, typeOf } from "../export/page/save.js";
import { wavBlob } from "../export/page/wav.js";
import { fileOf, removePicked } from "../library/opfs.js";
import { openScratch, removeScratch } from "../library/scratch.js";
import {
  mixGains,
  planFor,
  recallChoices,
  songAudio,
  stemAudio,
  stemFileName,
  titleOf,
} from "./export-plan.js";
import { isWriting } from "./state.js";

/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../export/protocol.js").MixMeasurement} MixMeasurement */
/** @typedef {import("../export/protocol.js").Plan} Plan */
/** @typedef {import("../library/track.js").Track} Track */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./state.js").PageState} PageState */

/**
 * @typedef {object} ExportState
 * @property {Song} song
 * @property {"dialog" | "desk"} place on the page that shows it
 * @property {number | null} measured fraction of the measurement that runs
 * @property {MixMeasurement | null} measurement null until it is complete
 * @property {{ name: string, fraction: number, secondsLeft: number | null } | null} writing
 * @property {{ name: string, clipped: number } | null} written
 * @property {ErrorData | null} error
 */

/** Time for a browser to copy a download out of the storage. */
const DOWNLOAD_MS = 600_000;

/** Time that the worker waits for another export; its Python takes some 100 MB. */
const IDLE_MS = 60_000;

/** Below this fraction, the time left is not estimated. */
const ENOUGH = 0.02;

const now = () => performance.now() / 1000;

export class ExportController {
  #store;
  #songs;
  /** One worker for all exports: its Python takes seconds to start. */
  #exporter = new Exporter();
  #idle = 0;
  #isPicking = false;
  /** Of the measurement that runs. */
  #measuring = new AbortController();
  /** Of the file that is written. */
  #controller = new AbortController();

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("./songs.js").Songs} songs
   */
  constructor(store, songs) {
    this.#store = store;
    this.#songs = songs;
  }

  /** Opens the dialog. @param {Song} song */
  open(song) {
    if (this.#isBusy) return;
    this.#begin(song, "dialog");
    void this.#measure();
  }

  close() {
    this.#end();
    this.#controller.abort(cancelled());
    this.#store.set({ export: null });
  }

  /** Runs the null test without the dialog. @param {Song} song */
  async measure(song) {
    if (this.#isBusy) return;
    this.#begin(song, "desk");
    await this.#measure();
    this.#end();
  }

  /**
   * Saves a stem's stored pieces as a WAV file.
   * @param {Song} song
   * @param {Track} stem
   * @param {import("./export-plan.js").Label} label
   */
  downloadStem(song, stem, label) {
    if (!song.format) return;
    const blob = wavBlob(stem, song.format.rate, song.tags, titleOf(song, label(stem.name)));
    save(blob, stemFileName(recallChoices().pattern, song, stem.name, "wav"));
  }

  /** Saves all stems in a ZIP file. @param {Song} song @param {import("./export-plan.js").Label} label */
  async downloadAll(song, label) {
    /** @type {import("./export-plan.js").ExportChoice} */
    const choice = {
      what: "all",
      stem: "",
      coding: { kind: "wav", bits: 32 },
      pattern: recallChoices().pattern,
    };
    const { plan, name } = planFor(song, choice, 0, label, this.#store.state.catalogue);
    await this.download(song, plan, name);
  }

  /** Writes a file without the dialog. @param {Song} song @param {Plan} plan @param {string} name */
  async download(song, plan, name) {
    if (this.#isBusy) return;
    this.#begin(song, "desk");
    try {
      await this.write(plan, name);
    } finally {
      this.#end();
    }
  }

  /** Stops writing. The worker and its Python stay for the next file. */
  cancel() {
    this.#controller.abort(cancelled());
  }

  /**
   * Writes a file where the user picks. Needs the user activation of a click.
   * @param {Plan} plan
   * @param {string} name
   */
  async write(plan, name) {
    const exporter = this.#exporter;
    if (this.#isBusy) return;
    const picked = await this.#pick(name);
    if (picked === "dismissed") return;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.#change({ writing: { name, fraction: 0, secondsLeft: null }, written: null, error: null });
    let isNew = false;
    /** @type {string | null} */
    let scratch = null;
    /** @type {Blob | null} */
    let download = null;
    try {
      isNew = picked !== null && (await fileOf(picked)).size === 0;
      scratch = await openScratch();
      const { blob, clipped } = await exporter.write(plan, { picked, scratch }, this.#reporter(name), signal);
      download = blob;
      if (blob) save(new File([blob], name, { type: typeOf(name) }), name);
      this.#change({ writing: null, written: { name: picked?.name ?? name, clipped } });
    } catch (reason) {
      const error = describe(reason);
      this.#change({ writing: null, error: error.code === "cancelled" ? null : error });
      await exporter.stopped(); // nothing writes to the files that are removed now
      // The picker created the file, and it is still empty.
      if (picked && isNew) await removePicked(picked).catch(() => {});
    } finally {
      setTimeout(() => void removeScratch(scratch), download ? DOWNLOAD_MS : 0);
    }
    const { measurement, place } = this.#store.state.export ?? {};
    if (place === "dialog" && !measurement) void this.#measure(); // writing had ended the measurement
  }

  /** @param {string} name */
  async #pick(name) {
    this.#isPicking = true;
    try {
      return await pick(name);
    } finally {
      this.#isPicking = false;
    }
  }

  get #isBusy() {
    return this.#isPicking || isWriting(this.#store.state);
  }

  /** @param {Song} song @param {ExportState["place"]} place */
  #begin(song, place) {
    this.#end();
    clearTimeout(this.#idle);
    this.#store.set({
      export: { song, place, measured: null, measurement: null, writing: null, written: null, error: null },
    });
  }

  /** Stops the measurement; the worker ends when nothing is exported for a while. */
  #end() {
    this.#measuring.abort(cancelled());
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#exporter.end(), IDLE_MS);
  }

  async #measure() {
    const { song } = this.#store.state.export ?? {};
    const audio = song && songAudio(song);
    if (!song || !audio) return;
    const report = (/** @type {number} */ measured) => this.#change({ measured });
    report(0);
    this.#measuring = new AbortController();
    const { signal } = this.#measuring;
    try {
      const { stems } = song;
      const measurement = await this.#exporter.measure(
        audio,
        stemAudio(song),
        mixGains(song),
        report,
        signal,
      );
      this.#songs.send(song.id, "nullTested", { stems, residual: measurement.residual });
      this.#change({ measurement, measured: null });
    } catch (reason) {
      if (signal.aborted) return; // another export may be shown
      const error = describe(reason);
      this.#change({ measured: null, ...(error.code === "cancelled" ? {} : { error }) });
    }
  }

  /** @param {string} name */
  #reporter(name) {
    const begun = now();
    return (/** @type {number} */ fraction) => {
      const elapsed = now() - begun;
      const secondsLeft = fraction < ENOUGH ? null : (elapsed / fraction) * (1 - fraction);
      this.#change({ writing: { name, fraction, secondsLeft } });
    };
  }

  /** @param {Partial<ExportState>} changes */
  #change(changes) {
    const { export: state } = this.#store.state;
    if (state) this.#store.set({ export: { ...state, ...changes } });
  }
}
