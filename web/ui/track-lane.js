/**
 * The visible part of a track with the region and the playhead: a picture, or a slider of the position. Emits `seek-seconds`, `region-drag`, `region-change`
 * and `view-change`.
 */

import { emit, h } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./i18n.js";
import { LaneGestures } from "./lane-gestures.js";
import { SpectroGram } from "./spectro-gram.js";
import { placeIn } from "./visible-span.js";
import { WaveForm } from "./wave-form.js";

/** @typedef {import("../app/desk.js").Desk} Desk */
/** @typedef {import("../app/desk.js").Span} Span */
/** @typedef {import("../app/spectrograms.js").Spectrograms} Spectrograms */
/** @typedef {import("../library/track.js").Track} Track */

/**
 * Properties that all lanes of a song share.
 * @typedef {object} Lanes
 * @property {Span} view in seconds
 * @property {number} duration in seconds
 * @property {number} rate in Hz
 * @property {Span | null} region in seconds
 * @property {boolean} looping
 * @property {Desk["picture"]} picture
 * @property {number} scale the peak that fills the height
 * @property {Spectrograms} spectrograms
 */

const PICTURE = Object.freeze({ "aria-hidden": "true" });
const SLIDER = Object.freeze({
  role: "slider",
  tabindex: "0",
  "aria-valuemin": "0",
  "aria-keyshortcuts": "[ ] A B",
});

export class TrackLane extends HTMLElement {
  #wave = new WaveForm();
  /** @type {SpectroGram | null} made on first use */
  #spectrogram = null;
  #region = h("div", { class: "region" });
  #playhead = h("div", { class: "playhead" });
  #gestures = new LaneGestures(this, (type, detail) => emit(this, type, detail));
  /** @type {Lanes | null} */
  #lanes = null;
  #isSlider = true;

  connectedCallback() {
    this.slider = false;
    this.replaceChildren(this.#wave, this.#region, this.#playhead);
    if (this.#spectrogram) this.#wave.after(this.#spectrogram);
  }

  /** @param {Track | null} track @param {Lanes} lanes */
  render(track, lanes) {
    this.#lanes = lanes;
    const { view, duration, region, picture, scale, looping, rate, spectrograms } = lanes;
    const spectral = picture === "spectrogram" && track !== null;
    this.#gestures.follow({ view, duration, region });
    this.#wave.hidden = spectral;
    this.#wave.show({ track, scale, first: view.start * rate, last: view.stop * rate });
    if (spectral) {
      this.#spectrogram ??= this.#addSpectrogram();
      this.#spectrogram.show(spectrograms, track, { start: view.start * rate, stop: view.stop * rate, rate });
    }
    if (this.#spectrogram) this.#spectrogram.hidden = !spectral;
    this.#region.hidden = region === null;
    this.#region.classList.toggle("looping", looping);
    this.style.setProperty("--region-start", String(region ? placeIn(view, region.start) : 0));
    this.style.setProperty("--region-stop", String(region ? placeIn(view, region.stop) : 0));
  }

  /** @param {number} seconds up to which the waveform is tinted */
  set lit(seconds) {
    if (this.#lanes) this.#wave.lit = Math.min(1, Math.max(0, placeIn(this.#lanes.view, seconds)));
  }

  /**
   * Makes it a slider, which takes the focus, or a picture again. The keys are those of `shortcuts.js`.
   * @param {boolean} isSlider
   */
  set slider(isSlider) {
    if (isSlider === this.#isSlider) return;
    this.#isSlider = isSlider;
    for (const name of this.getAttributeNames())
      if (/^(role|tabindex|aria-)/.test(name)) this.removeAttribute(name);
    const attributes = isSlider ? { ...SLIDER, "aria-label": t("transport.position") } : PICTURE;
    for (const [name, value] of Object.entries(attributes)) this.setAttribute(name, value);
  }

  /** @param {number | null} seconds of the playhead; null hides it */
  set playhead(seconds) {
    if (this.#isSlider) this.#tell(seconds ?? 0);
    const place = seconds === null || !this.#lanes ? -1 : placeIn(this.#lanes.view, seconds);
    this.#playhead.hidden = place < 0 || place > 1;
    if (!this.#playhead.hidden) this.style.setProperty("--playhead", String(place));
  }

  /** @param {number} seconds */
  #tell(seconds) {
    const { duration = 0 } = this.#lanes ?? {};
    const text = t("transport.time", { position: clock(seconds), duration: clock(duration) });
    this.setAttribute("aria-valuemax", String(duration));
    this.setAttribute("aria-valuenow", String(seconds));
    this.setAttribute("aria-valuetext", text);
  }

  #addSpectrogram() {
    const spectrogram = new SpectroGram();
    this.#wave.after(spectrogram);
    return spectrogram;
  }
}

customElements.define("track-lane", TrackLane);
