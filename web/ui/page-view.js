/** Hands the state to every element, and finds a place for a focus that lost its own. */

import { selectedSong } from "../app/state.js";
import { AboutPanel } from "./about-panel.js";
import { DropZone } from "./drop-zone.js";
import { EngineLine } from "./engine-line.js";
import { ErrorNotice } from "./error-notice.js";
import { ExportDialog } from "./export-dialog.js";
import { frequency } from "./format.js";
import { t } from "./i18n.js";
import { isUnderWay, JobView } from "./job-view.js";
import { MixingDesk } from "./mixing-desk.js";
import { ModelPicker } from "./model-picker.js";
import { OfflineLine } from "./offline-line.js";
import { RequestCount } from "./request-count.js";
import { RoomOffer } from "./room-offer.js";
import { SongOverview } from "./song-overview.js";
import { SongQueue } from "./song-queue.js";
import { StorageList } from "./storage-list.js";
import { seen } from "./time-view.js";
import { UndoNotice } from "./undo-notice.js";
import { UnfinishedNotice } from "./unfinished-notice.js";
import { UpdateBanner } from "./update-banner.js";
import { fullScale } from "./wave-form.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../playback/page/transport.js").Transport} Transport */

export class PageView {
  #deck;
  #spectra;
  #section = one(HTMLElement, ".song");
  #overview = one(SongOverview, "song-overview");
  #error = one(ErrorNotice, ".song error-notice");
  #problem = one(ErrorNotice, "#problem");
  #job = one(JobView, "job-view");
  #undo = one(UndoNotice, "undo-notice");
  #unfinished = one(UnfinishedNotice, "unfinished-notice");
  #desk = one(MixingDesk, "mixing-desk");
  #room = one(RoomOffer, "room-offer");
  #picker = one(ModelPicker, "model-picker");
  #engine = one(EngineLine, "engine-line");
  /** Drawn from the state alone. */
  #others = [
    one(AboutPanel, "about-panel"),
    one(DropZone, "drop-zone"),
    one(ExportDialog, "export-dialog"),
    one(SongQueue, "song-queue"),
    one(OfflineLine, "offline-line"),
    one(RequestCount, "request-count"),
    one(StorageList, "storage-list"),
    one(UpdateBanner, "update-banner"),
  ];

  /** @param {Transport} deck @param {import("../app/spectrograms.js").Spectrograms} spectra */
  constructor(deck, spectra) {
    this.#deck = deck;
    this.#spectra = spectra;
  }

  /** @param {PageState} state */
  render(state) {
    const song = selectedSong(state);
    const lost = this.#holdsFocus();
    for (const element of this.#others) element.render(state);
    this.#engine.render(state.engine);
    this.#problem.render(state.problem, null);
    this.#section.hidden = song === null;
    const lanes = this.#lanes(song);
    if (song) this.#overview.render(state, song, lanes);
    this.#error.render(song?.error ?? null, song);
    this.#job.render(song, state.engine.fallback);
    this.#undo.render(state.removed);
    this.#unfinished.render(song, state.models);
    this.#desk.render(song, lanes, { note: this.#note(song), export: state.export });
    this.#room.render(state, song);
    this.#picker.hidden = song !== null && isUnderWay(song);
    this.#picker.render(state, song);
    this.follow(song);
    this.#refocus(lost);
  }

  /**
   * Only what moves while a song plays.
   * @param {Song | null} song
   */
  follow(song) {
    this.#desk.follow(this.#deck);
    this.#overview.playhead = song?.format ? this.#deck.position : null;
  }

  /** @param {number} factor */
  zoom(factor) {
    this.#overview.zoom(factor);
  }

  /** @param {Song | null} song @returns {import("./track-lane.js").Lanes} */
  #lanes(song) {
    const { duration = 0, format, track, desk } = song ?? {};
    return {
      view: seen(desk?.view ?? null, duration),
      duration,
      rate: format?.rate ?? 1,
      region: desk?.region ?? null,
      looping: desk?.looping ?? false,
      picture: desk?.picture ?? "wave",
      scale: fullScale(track?.peaks ?? new Float32Array()),
      spectra: this.#spectra,
    };
  }

  /** @param {Song | null} song @returns {string} */
  #note(song) {
    if (this.#deck.failed && song?.format)
      return t("transport.unplayable", { frequency: frequency(song.format.rate) });
    return this.#deck.waiting ? t("transport.waiting") : "";
  }

  /** Which of the parts that come and go has the focus. */
  #holdsFocus() {
    return [this.#picker, this.#job].find((part) => part.contains(document.activeElement)) ?? null;
  }

  /** @param {ModelPicker | JobView | null} lost */
  #refocus(lost) {
    if (!lost?.hidden) return;
    if (!this.#job.hidden) this.#job.focusCancel();
    else if (!this.#unfinished.hidden) this.#unfinished.focusResume();
    else if (!this.#desk.hidden) this.#desk.focusPlay();
    else this.#picker.focusSeparate();
  }
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
