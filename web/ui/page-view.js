/** Renders the state through the elements, and moves the focus when its element goes away. */

import { pageError, selectedSong } from "../app/state.js";
import { AboutPanel } from "./about-panel.js";
import { DropZone } from "./drop-zone.js";
import { ErrorNotice } from "./error-notice.js";
import { ExportDialog } from "./export-dialog.js";
import { kilohertz } from "./format.js";
import { t, translate } from "./i18n.js";
import { isUnderWay, JobView } from "./job-view.js";
import { MixingDesk } from "./mixing-desk.js";
import { ModelPicker } from "./model-picker.js";
import { LossNotice, MemoryNotice, UndoNotice, UnfinishedNotice, UpdateBanner } from "./notices.js";
import { EngineLine, OfflineLine } from "./page-footer.js";
import { RequestCount } from "./request-count.js";
import { SongOverview } from "./song-overview.js";
import { SongQueue } from "./song-queue.js";
import { StorageList } from "./storage-list.js";
import { StorageNotice } from "./storage-notice.js";
import { visibleSpan } from "./visible-span.js";
import { fullScale } from "./wave-form.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../playback/page/transport.js").Transport} Transport */

export class PageView {
  #transport;
  #spectrograms;
  #section = one(HTMLElement, ".song");
  #overview = one(SongOverview, "song-overview");
  #error = one(ErrorNotice, ".song error-notice");
  #problem = one(ErrorNotice, "#problem");
  #job = one(JobView, "job-view");
  #undo = one(UndoNotice, "undo-notice");
  #loss = one(LossNotice, "loss-notice");
  #unfinished = one(UnfinishedNotice, "unfinished-notice");
  #desk = one(MixingDesk, "mixing-desk");
  #storageNotice = one(StorageNotice, "storage-notice");
  #picker = one(ModelPicker, "model-picker");
  /** Elements that take the whole state. */
  #others = [
    one(AboutPanel, "about-panel"),
    one(DropZone, "drop-zone"),
    one(EngineLine, "engine-line"),
    one(ExportDialog, "export-dialog"),
    one(SongQueue, "song-queue"),
    one(MemoryNotice, "memory-notice"),
    one(OfflineLine, "offline-line"),
    one(RequestCount, "request-count"),
    one(StorageList, "storage-list"),
    one(UpdateBanner, "update-banner"),
  ];

  /** @param {Transport} transport @param {import("../app/spectrograms.js").Spectrograms} spectrograms */
  constructor(transport, spectrograms) {
    this.#transport = transport;
    this.#spectrograms = spectrograms;
  }

  /** @param {PageState} state */
  render(state) {
    const song = selectedSong(state);
    const focused = this.#focusedPart();
    for (const element of this.#others) element.render(state);
    this.#problem.render(pageError(state), null);
    this.#section.hidden = song === null;
    const lanes = this.#lanes(song);
    if (song) this.#overview.render(state, song, lanes);
    this.#error.render(ownError(song, state), song);
    this.#job.render(song, state.engine.fallback);
    this.#undo.render(state.removed);
    this.#loss.render(song);
    this.#unfinished.render(song, state.models);
    const { export: exported, catalogue } = state;
    this.#desk.render(song, lanes, { note: this.#playbackNote(song), export: exported, catalogue });
    this.#storageNotice.render(state, song);
    this.#picker.hidden = song !== null && isUnderWay(song);
    this.#picker.render(state, song);
    this.follow(song);
    this.#refocus(focused);
  }

  /**
   * Renders the playhead and the levels.
   * @param {Song | null} song
   */
  follow(song) {
    this.#desk.follow(this.#transport);
    this.#overview.playhead = song?.format ? this.#transport.position : null;
  }

  /** @param {number} factor */
  zoom(factor) {
    this.#overview.zoom(factor);
  }

  /** @param {Song | null} song @returns {import("./track-lane.js").Lanes} */
  #lanes(song) {
    const { duration = 0, format, track, desk } = song ?? {};
    return {
      view: visibleSpan(desk?.view ?? null, duration),
      duration,
      rate: format?.rate ?? 1,
      region: desk?.region ?? null,
      looping: desk?.looping ?? false,
      picture: desk?.picture ?? "wave",
      scale: fullScale(track?.peaks ?? new Float32Array()),
      spectrograms: this.#spectrograms,
    };
  }

  /** @param {Song | null} song @returns {string} */
  #playbackNote(song) {
    if (this.#transport.failed && song?.format)
      return t("transport.unplayable", { frequency: kilohertz(song.format.rate) });
    if (this.#transport.silent) return t("transport.silent");
    if (this.#transport.unreadable) return t("transport.unreadable");
    return this.#transport.waiting ? t("transport.waiting") : "";
  }

  /** The focused part, of those that come and go. */
  #focusedPart() {
    return [this.#picker, this.#job].find((part) => part.contains(document.activeElement)) ?? null;
  }

  /** @param {ModelPicker | JobView | null} focused before the rendering */
  #refocus(focused) {
    if (!focused?.hidden) return;
    if (!this.#job.hidden) this.#job.focusCancel();
    else if (!this.#unfinished.hidden) this.#unfinished.focusResume();
    else if (!this.#desk.hidden) this.#desk.focusPlay();
    else this.#picker.focusSeparate();
  }
}

/**
 * The error of a song, unless it is the engine's, which the page shows for all songs.
 * @param {Song | null} song
 * @param {PageState} state
 */
function ownError(song, { engine }) {
  const error = song?.error ?? null;
  return error?.code === engine.error?.code ? null : error;
}

/** Recreates all custom elements after a change of language; a new `PageView` then renders the state. */
export function rebuildElements() {
  for (const old of document.body.querySelectorAll("*")) {
    const replaced = !old.isConnected; // inside another custom element
    if (replaced || !customElements.get(old.localName)) continue;
    const fresh = document.createElement(old.localName);
    if (old.id) fresh.id = old.id;
    old.replaceWith(fresh);
  }
  translate(document);
}

/**
 * @template {HTMLElement} T
 * @param {new (...args: any[]) => T} type
 * @param {string} selector
 * @returns {T}
 */
function one(type, selector) {
  const element = document.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`The page has no ${selector}`);
  return element;
}
